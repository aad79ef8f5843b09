"""Nothing of a DICOM header but what is kept by the allow-list gets out of the file, and that much can be asked for."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, config, dcmread
from pydicom.datadict import DicomDictionary
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from tests.program import with_model
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.dicom.header import ALLOWED
from wetread.imaging.dicom.kept_header import KEPT

WORD, NUMBER, DAY = "ZQCANARY", "731849726153", "19310417"
UID = f"1.2.{NUMBER}.1"
VALUES = dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"), WORD)
VALUES |= {"DA": DAY, "DT": DAY, "AS": "093Y", "TM": "041731", "IS": NUMBER, "DS": NUMBER, "UI": UID}
SIGNS = (WORD, NUMBER, DAY, "1931-04-17")
PATIENT = f"{WORD}-{NUMBER}"
STUDY = {
    "StudyInstanceUID": "1.2.840.99.1", "SeriesInstanceUID": "1.2.840.99.1.1", "SOPInstanceUID": "1.2.840.99.1.1.1",
    "AcquisitionDate": "20240229", "PixelSpacing": ["0.14", "0.15"], "PatientID": PATIENT,
}  # fmt: skip


STUDY_KEPT = {
    "study_uid": "1.2.840.99.1", "series_uid": "1.2.840.99.1.1", "instance_uid": "1.2.840.99.1.1.1", "view": "PA",
    "modality": "DX", "acquired_on": "2024-02-29", "pixel_spacing": [0.14, 0.15], "patient_hash": None,
}  # fmt: skip


def canaries() -> Dataset:
    """Every text, number, date and identifier of the standard's dictionary that is not on an allow-list."""
    record = Dataset()
    for tag, (representation, *_) in DicomDictionary.items():
        if 0x00080006 <= tag < 0x7FE00000 and tag not in ALLOWED | KEPT and tag & 0xFFFF and representation in VALUES:
            record.add_new(tag, representation, VALUES[representation])
    record.private_block(0x0009, WORD, create=True).add_new(1, "LO", WORD)
    record.private_block(0x0029, WORD, create=True).add_new(2, "UN", WORD.encode())
    return record


FILMS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "film": (ExplicitVRLittleEndian, {}, None),
    "implicit": (ImplicitVRLittleEndian, {}, None),
    "deflated": (DeflatedExplicitVRLittleEndian, {}, None),
    "lateral": (ExplicitVRLittleEndian, {"ViewPosition": "LL"}, "other_view"),
    "ct": (ExplicitVRLittleEndian, {"Modality": "CT"}, "other_modality"),
    "report": (ExplicitVRLittleEndian, {}, "no_pixels"),
    "hand": (ExplicitVRLittleEndian, {"BodyPartExamined": f"HAND {WORD}"}, "other_body_part"),
    "colour": (ExplicitVRLittleEndian, {"PhotometricInterpretation": WORD}, "undecodable"),
    "malformed": (
        RLELossless, {"Modality": WORD, "ViewPosition": WORD, "StudyInstanceUID": WORD, "SeriesInstanceUID": WORD,
                      "SOPInstanceUID": WORD, "AcquisitionDate": WORD, "PixelSpacing": ""}, None
    ),
}  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with config.disable_value_validation():
        hidden = canaries()
        hidden.ReferencedStudySequence = [canaries()]
        hidden.private_block(0x0011, WORD, create=True).add_new(3, "SQ", [canaries()])
        assert len(hidden) > 2500
        (tmp_path / "archive").mkdir()
        for number, (name, (syntax, said, _)) in enumerate(FILMS.items()):
            # Another picture each: the same bytes would be read once.
            record = dcmread(BytesIO(dicom(film(seed=number), syntax)))
            record.update(hidden)
            for keyword, value in (STUDY | said).items():
                setattr(record, keyword, value)
            if name == "report":
                del record.PixelData
            record.preamble = (WORD * 16).encode()
            record.file_meta.SourceApplicationEntityTitle = WORD
            record.file_meta.ImplementationVersionName = WORD
            record.file_meta.ImplementationClassUID = record.file_meta.MediaStorageSOPInstanceUID = UID
            record.save_as(tmp_path / "archive" / name)
    return tmp_path / "archive"


def leaked(where: str | bytes) -> list[str]:
    data = where.encode() if isinstance(where, str) else where
    return [sign for sign in SIGNS if sign.lower().encode() in data.lower()]


def test_what_is_kept_can_be_asked_for_and_no_other_value_gets_out_of_its_file(tmp_path: Path, archive: Path) -> None:
    assert all(leaked(path.read_bytes()) == list(SIGNS[:3]) for path in archive.iterdir() if path.name != "deflated")
    program = with_model(tmp_path / "home", WETREAD_LOG_LEVEL="debug")
    ended = program.run("screen", archive)
    assert ended.returncode == 0, ended.stderr
    said = [ended.stdout + ended.stderr]

    def asked(*arguments: object) -> str:
        answer = program.run(*arguments)
        said.append(answer.stdout + answer.stderr)
        return answer.stdout

    rows = {Path(row["path"]).name: row for row in json.loads(asked("results", "list", "--json"))}
    assert {name: row["reason"] for name, row in rows.items()} == {
        name: reason for name, (_, _, reason) in FILMS.items()
    }
    key = (tmp_path / "home" / "patient.key").read_bytes()
    expected = STUDY_KEPT | {"patient_hash": hmac.new(key, PATIENT.encode(), hashlib.sha256).hexdigest()}
    for name, (_, changes, _) in FILMS.items():
        kept = {field: rows[name][field] for field in expected}
        if name == "malformed":
            assert kept == dict.fromkeys(expected) | {"patient_hash": expected["patient_hash"]}
        else:
            of_film = {"view": changes.get("ViewPosition", "PA"), "modality": changes.get("Modality", "DX")}
            assert kept == expected | of_film

    study = asked("results", "list", "--study", "1.2.840.99.1").splitlines()
    assert study[0].endswith("run\tview\tseries\tinstance")
    assert {Path(line.split("\t")[0]).name for line in study[1:]} == set(FILMS) - {"malformed"}
    assert any(line.endswith("LL\t1.2.840.99.1.1\t1.2.840.99.1.1.1") for line in study)
    assert "study uid\t1.2.840.99.1\n" in asked("results", "show", archive / "lateral")
    for command in (("results", "show", archive / "malformed", "--json"), ("errors", "list"), ("results", "summary")):
        asked(*command)
    assert [leaked(text) for text in said] == [[]] * len(said)

    dump = tmp_path / "dump.db"
    with closing(sqlite3.connect(tmp_path / "home" / "results.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(dump),))
    assert b"1.2.840.99.1" in dump.read_bytes()
    written = [dump, *(path for path in (tmp_path / "home").rglob("*") if path.is_file())]
    assert {path.name: leaked(path.read_bytes()) for path in written} == {path.name: [] for path in written}
