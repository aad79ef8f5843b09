"""Readings sent back: valid reports with the values that were read, in the PACS once, whatever was killed between."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from tests.program import Program, with_model
from tests.pulling import needs_dicomweb, study_film
from tests.receiving import needs
from tests.servers.orthanc_server import OrthancServer
from tests.servers.server import free_port
from tests.services import started

FILMS = 4


@pytest.fixture(scope="module")
def orthanc() -> Iterator[OrthancServer]:
    needs("Orthanc")
    needs_dicomweb()
    server = started(OrthancServer, free_port())  # type: ignore[arg-type] # a port, and no server
    try:
        for study in range(FILMS):
            server.ask("/instances", study_film(study, side=96))
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def read_once(orthanc: OrthancServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a program that has read Orthanc's films."""
    program = with_model(tmp_path_factory.mktemp("read") / "home", patience=280)
    added = program.run(
        "peers", "add", "pacs", "--title", "ORTHANC", "--address", "127.0.0.1", "--port", orthanc.dicom_port,
        "--web", orthanc.web,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    done = program.run("pull", "pacs", "--since", "2026-03-01", "--until", "2026-03-01", "--least-free-gb", "0")
    assert done.returncode == 0, done.stderr
    return program.home


@pytest.fixture
def program(read_once: Path) -> Program:
    return Program(read_once, {}, 280)


def reports(orthanc: OrthancServer) -> list[Any]:
    """The reports that Orthanc has."""
    import urllib.request

    found = []
    for instance in orthanc.ask("/instances"):
        with urllib.request.urlopen(f"{orthanc.url}/instances/{instance}/file") as answer:  # noqa: S310 - loopback
            record = dcmread(BytesIO(answer.read()))
        found += [record] if record.Modality == "SR" else []
    return found


@pytest.mark.timeout(900)
def test_sent_killed_and_sent_again_there_is_one_of_each(
    program: Program, orthanc: OrthancServer, tmp_path: Path
) -> None:
    assert program.run("send", "pacs").returncode == 2  # nobody said that it may have readings
    assert program.run("peers", "edit", "pacs", "--readings").returncode == 0
    would = program.json("send", "pacs", "--dry-run")
    assert len({one["report"] for one in would}) == FILMS
    assert program.json("deliveries", "list") == []
    counts = tmp_path / "counts"
    counts.mkdir()
    faults = ",".join(f"{point}:kill:1" for point in ("delivery_attempt", "delivery_taken", "delivery_sent"))
    failing = Program(
        program.home, {"WETREAD_FAILPOINT": faults, "WETREAD_FAILPOINT_COUNTS": str(counts)}, program.patience
    )
    for _ in range(3):
        assert failing.run("send", "pacs", "--via", "stow").returncode == -9
    row = program.json("send", "pacs", "--via", "store")
    assert {name: row[name] for name in ("pending", "sent", "committed", "failed")} == {
        "pending": 0, "sent": 0, "committed": FILMS, "failed": 0,
    }  # fmt: skip
    assert program.json("send", "pacs")["committed"] == FILMS  # and again: nothing more
    sent = reports(orthanc)
    assert sorted(str(one.SOPInstanceUID) for one in sent) == sorted(one["report"] for one in would)
    for report in sent:
        study = str(report.StudyInstanceUID).split(".")[-1]
        assert (str(report.PatientName), report.AccessionNumber) == (f"Doe^{study}", f"A{study}")
        assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    everything = b"".join(path.read_bytes() for path in program.home.glob("results.db*"))
    assert b"Doe^" not in everything and b"A1\x00" not in everything
    valid_with_the_values_that_were_read(program, sent[0], tmp_path)


def listed(shown: Any) -> list[Any]:
    return shown if isinstance(shown, list) else [shown]


def valid_with_the_values_that_were_read(program: Program, report: Any, folder: Path) -> None:
    path = folder / "report.dcm"
    report.save_as(path, enforce_file_format=True)
    film = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    digests = dict(program.rows("SELECT sop_instance_uid, sha256 FROM received"))  # type: ignore[arg-type] # rows of two columns
    digest = digests[film.ReferencedSOPInstanceUID]
    ((reading,),) = [one["readings"] for one in listed(program.json("results", "show", digest))]
    needs("dsrdump")
    dumped = subprocess.run(["dsrdump", "+Pl", str(path)], capture_output=True, text=True, check=True).stdout
    assert "not for diagnostic use" in dumped and reading["model_digest"] in dumped
    for label, probability in reading["probabilities"].items():
        assert f'"Probability of {label}")="{probability:.8f}"' in dumped, dumped


@pytest.mark.timeout(300)
def test_a_pacs_that_is_away_keeps_them_pending(program: Program, orthanc: OrthancServer) -> None:
    assert program.run("peers", "edit", "pacs", "--readings").returncode == 0
    with closing(sqlite3.connect(program.home / "results.db")) as connection, connection:
        connection.execute("UPDATE deliveries SET state = 'pending', settled_at = NULL")
        connection.execute("DELETE FROM deliveries WHERE id > 1")
    orthanc.stop()
    try:
        away = program.run("send", "pacs", "--via", "store")
        assert (away.returncode, "goes on later" in away.stderr) == (4, True), away.stderr
        assert {one["state"] for one in program.json("deliveries", "list")} == {"pending"}
    finally:
        orthanc.start()
    assert program.json("send", "pacs")["committed"] == FILMS
    assert len(reports(orthanc)) == FILMS
