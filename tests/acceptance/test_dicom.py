"""`wetread screen` over DICOM files, as a hospital keeps them, beside the same films as PNG."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from tests.program import films, with_model
from tests.unit.imaging.dicoms import LOSSLESS, dicom
from tests.unit.imaging.pictures import encoded, film
from wetread.imaging.decode import decode

CANARY = "Doe^Canary"
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    *LOSSLESS,
)

REDUCED = (JPEG2000Lossless,)
"""Of these a film is read at one of the resolution levels that it has, if one suffices, and not at its full size."""


def write_twins(archive: Path, drawn: Path) -> int:
    """Write each film of `drawn` as a PNG and as DICOM: light, inverted, inverted with 12 bits; return their number."""
    paths = sorted(path for path in drawn.rglob("*") if path.is_file() and path.suffix != ".csv")
    for number, path in enumerate(paths):
        pixels = decode(path.read_bytes()).pixels
        if pixels.dtype != np.uint8:
            pixels = (pixels // 257).astype(np.uint8)
        syntax = SYNTAXES[number % len(SYNTAXES)]
        folder = archive / str(number)
        folder.mkdir(parents=True)
        (folder / "film.png").write_bytes(encoded(".png", pixels))
        (folder / "light.dcm").write_bytes(dicom(pixels, syntax, PatientName=CANARY, PatientComments=CANARY))
        inverted = {"PhotometricInterpretation": "MONOCHROME1", "PatientName": CANARY}
        (folder / "dark").write_bytes(dicom(255 - pixels, syntax, **inverted))
        (folder / "deep.dcm").write_bytes(dicom(4095 - pixels.astype(np.uint16) * 16, syntax, bits=12, **inverted))
    return len(paths)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    films(tmp_path / "drawn", patients=9)
    assert write_twins(tmp_path / "archive", tmp_path / "drawn") == 9
    return tmp_path / "archive"


def test_dicom_films_read_as_their_png_twins_and_the_rest_is_told_apart(tmp_path: Path, archive: Path) -> None:
    refused = {
        "ct": (dicom(film(), Modality="CT", PatientName=CANARY), "other_modality"),
        "side": (dicom(film(), ViewPosition="LL", PatientName=CANARY), "other_view"),
        "hand": (dicom(film(), BodyPartExamined="HAND", PatientName=CANARY), "other_body_part"),
        "report": (dicom(film(), PixelData=None, PatientName=CANARY), "no_pixels"),
        "cine": (dicom(film(), NumberOfFrames=9, PatientName=CANARY), "multi_frame"),
        "cut": (dicom(film(), PatientName=CANARY)[:-99], "truncated"),
        "bomb": (dicom(film(), Rows=65535, Columns=65535, PatientName=CANARY), "too_large"),
    }
    for name, (data, _) in refused.items():
        (archive / name).write_bytes(data)
    program = with_model(tmp_path / "home")

    ended = program.run("screen", archive)
    assert ended.returncode == 0, ended.stderr

    rows = {os.path.relpath(row["path"], archive): row for row in program.lines("results", "list")}
    assert {name: row["reason"] for name, row in rows.items() if row["state"] == "rejected"} == {
        name: reason for name, (_, reason) in refused.items()
    }
    assert len(rows) == 9 * 4 + len(refused)
    for number in range(9):
        png, *twins = (rows[f"{number}/{name}"] for name in ("film.png", "light.dcm", "dark", "deep.dcm"))
        near = 0.01 if SYNTAXES[number % len(SYNTAXES)] in REDUCED else 1e-6
        for twin, tolerance in zip(twins, (near, near, 0.01), strict=True):
            assert twin["label"] == png["label"]
            for label, probability in png["probabilities"].items():
                assert twin["probabilities"][label] == pytest.approx(probability, abs=tolerance)

    said = ended.stdout + ended.stderr + program.run("errors", "list").stdout
    said += program.run("results", "list", "--format", "csv").stdout
    assert "Canary" not in said
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert kept and all(b"Canary" not in path.read_bytes() for path in kept)
