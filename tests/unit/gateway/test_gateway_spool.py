"""Films in the spool: each in the place that its bytes name, whole, and never overwritten by another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
)

from gateway.receiving.file_meta import file_head
from gateway.receiving.spool import Spool, film_path
from gateway.receiving.whole_object import Named, looked_at
from schemas.errors import Rejected, UsageError
from tests.receiving import film
from tests.unit.gateway.data_sets import data_set_of

SYNTAXES = [
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
    JPEGLosslessSV1,
]  # fmt: skip
DX = "1.2.840.10008.5.1.4.1.1.1.1"


def put(spool: Spool, *parts: bytes) -> bytes:
    part = spool.begin()
    for one in parts:
        part.write(one)
    return part.place().path


def test_the_same_bytes_have_one_place_and_others_another(tmp_path: Path) -> None:
    spool = Spool(os.fsencode(tmp_path))
    first = put(spool, b"a film", b", whole")
    place = os.path.join(spool.films, first)
    os.utime(place, ns=(5, 5))
    assert put(spool, b"a film, whole") == first
    assert os.stat(place).st_mtime_ns == 5
    assert put(spool, b"another") != first
    assert os.listdir(tmp_path / "incoming") == []


def test_a_film_that_comes_again_mends_what_lies_in_its_place(tmp_path: Path) -> None:
    spool = Spool(os.fsencode(tmp_path))
    place = Path(os.fsdecode(spool.films), os.fsdecode(put(spool, b"a film, whole")))
    place.write_bytes(bytes(13))
    put(spool, b"a film, whole")
    assert place.read_bytes() == b"a film, whole"


def test_what_was_not_finished_is_removed(tmp_path: Path) -> None:
    spool = Spool(os.fsencode(tmp_path))
    part = spool.begin()
    part.write(b"half")
    assert spool.remove_parts() == 1
    assert os.listdir(tmp_path / "incoming") == []


def test_a_spool_has_one_receiver(tmp_path: Path) -> None:
    Spool(os.fsencode(tmp_path)).hold()
    script = "import sys; from gateway.receiving.spool import Spool; Spool(sys.argv[1].encode()).hold()"
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert "another `wetread listen`" in done.stderr
    with pytest.raises(UsageError, match="expected a directory"):
        Spool(b"/proc/none")


def test_a_place_is_named_by_the_digest() -> None:
    assert film_path("ab" * 32) == b"ab/" + b"ab" * 32 + b".dcm"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_whole_film_names_itself_and_a_cut_one_is_refused(tmp_path: Path, syntax: str) -> None:
    body, instance = data_set_of(film(1, syntax))
    head = file_head(DX, instance, syntax)
    path = tmp_path / "film"
    path.write_bytes(head + body)
    with path.open("rb") as file:
        assert looked_at(file.fileno(), len(head), syntax) == Named(DX, instance)
    for length in (0, 9, len(body) // 2, len(body) - 2):
        path.write_bytes(head + body[:length])
        with path.open("rb") as file, pytest.raises(Rejected):
            looked_at(file.fileno(), len(head), syntax)


def test_a_deflated_film_that_inflates_without_end_is_refused(tmp_path: Path) -> None:
    import zlib

    bomb = zlib.compressobj(9, wbits=-15)
    path = tmp_path / "film"
    with path.open("wb") as file:
        for _ in range(300):
            file.write(bomb.compress(bytes(2**20)))
        file.write(bomb.flush())
    with path.open("rb") as file, pytest.raises(Rejected, match="too_large"):
        looked_at(file.fileno(), 0, DeflatedExplicitVRLittleEndian)


def test_the_head_is_what_pydicom_reads(tmp_path: Path) -> None:
    from pydicom import dcmread

    body, instance = data_set_of(film(2))
    path = tmp_path / "film.dcm"
    path.write_bytes(file_head(DX, instance, ExplicitVRLittleEndian) + body)
    read = dcmread(path)
    assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID == instance
    assert read.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert read.pixel_array.shape == (96, 96)
