"""A reading as a Structured Report: valid by dicom3tools and dcmtk, and another one whenever it says something else."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.sending.report import film_header, report, report_uid
from schemas.errors import Rejected
from tests.pulling import study_film
from tests.receiving import needs
from wetread.store.received.deliveries import Reading

VALUES = {"covid": 0.7, "normal": 0.2, "a label of more than sixteen": 0.1}
READING = Reading(
    1, 1, b"", b"", "1.2.826.5.1.1.0", "1.2.840.10008.5.1.4.1.1.1.1", "ab" * 32, "tiny@1", "cd" * 32, "ef" * 32,
    "numpy", "covid", VALUES, datetime(2026, 3, 1, 12, tzinfo=UTC),
)  # fmt: skip


def written(folder: Path, reading: Reading = READING, predecessor: str | None = None) -> tuple[Path, Path]:
    film, path = folder / "film.dcm", folder / "report.dcm"
    film.write_bytes(study_film(1, PatientBirthDate="19700101", PatientSex="F", ReferringPhysicianName="Who^Ever"))
    report(film_header(os.fsencode(film)), reading, predecessor).save_as(path, enforce_file_format=True)
    return film, path


@pytest.mark.parametrize("predecessor", [None, "2.25.1"])
def test_it_is_valid_and_has_the_values(tmp_path: Path, predecessor: str | None) -> None:
    needs("dsrdump")
    _, path = written(tmp_path, predecessor=predecessor)
    dumped = subprocess.run(["dsrdump", "+Pl", str(path)], capture_output=True, text=True, check=True).stdout
    for label, probability in VALUES.items():
        assert f'"Probability of {label}")="{probability:.8f}"' in dumped
    assert "UNVERIFIED" in dumped and "PRELIMINARY" in dumped and "not for diagnostic use" in dumped
    assert READING.model_digest in dumped and READING.sha256 in dumped
    needs("dciodvfy")
    said = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    lines = (said.stderr + said.stdout).splitlines()
    assert "ComprehensiveSR" in lines and not [line for line in lines if line.startswith("Error")], lines


def test_it_belongs_to_the_film_s_patient_and_study(tmp_path: Path) -> None:
    needs("dcentvfy")
    film, path = written(tmp_path)
    said = subprocess.run(["dcentvfy", str(film), str(path)], capture_output=True, text=True, check=False)
    assert not [line for line in (said.stderr + said.stdout).splitlines() if line.startswith("Error")], said


def test_its_uid_follows_from_what_it_says() -> None:
    assert report_uid(READING) == report_uid(replace(READING, read_at=datetime.now(UTC), prediction_id=9))
    others = [
        replace(READING, decision="normal"), replace(READING, values=VALUES | {"covid": 0.71}),
        replace(READING, sha256="ac" * 32), replace(READING, model_digest="ce" * 32),
        replace(READING, decision_digest="e0" * 32), replace(READING, instance_uid="1.2.3"),
    ]  # fmt: skip
    assert len({report_uid(READING), *map(report_uid, others)}) == 1 + len(others)


def test_a_film_that_is_gone_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="not in the spool"):
        film_header(os.fsencode(tmp_path / "no.dcm"))
    (tmp_path / "no.dcm").write_bytes(b"nothing")
    with pytest.raises(Rejected, match="cannot be read"):
        film_header(os.fsencode(tmp_path / "no.dcm"))
