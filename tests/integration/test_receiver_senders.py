"""Films from real senders: dcmtk, Orthanc and pynetdicom. They arrive as they were sent, and are kept once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)
from sqlalchemy import select

from gateway.receiving.limits import Limits
from gateway.receiving.readiness import Watermark
from schemas.tables import Received
from tests.receiving import Receiving, echoscu, film, needs, storescu, write_films
from tests.servers.orthanc_server import OrthancServer
from tests.services import started
from tests.unit.gateway.data_sets import data_set_of
from tests.unit.imaging.dicoms import dicom
from wetread.store.core.database import Database

SYNTAXES = [
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless,
    JPEGLosslessSV1, JPEG2000Lossless, JPEGBaseline8Bit,
]  # fmt: skip
OPTIONS = {
    ExplicitVRBigEndian: "-xb", ImplicitVRLittleEndian: "-xi", DeflatedExplicitVRLittleEndian: "-xd",
    RLELossless: "-xr",
    JPEGLosslessSV1: "-xs", JPEG2000Lossless: "-xv", JPEGBaseline8Bit: "-xy", ExplicitVRLittleEndian: "-xe",
}  # fmt: skip

Start = Callable[..., Receiving]


@pytest.fixture
def receiving(database: Database, tmp_path: Path) -> Iterator[Start]:
    """Starts a receiver."""
    made: list[Receiving] = []

    def start(**options: object) -> Receiving:
        made.append(Receiving(database, tmp_path, **options))  # type: ignore[arg-type] # fields of several types
        return made[-1].start()

    yield start
    for one in made:
        one.close()


def film_of(syntax: str, number: int) -> bytes:
    if syntax == JPEGBaseline8Bit:
        import numpy as np

        picture = np.random.default_rng(number).integers(0, 255, (64, 64)).astype(np.uint8)
        return dicom(picture, syntax, SOPInstanceUID=f"1.2.826.{number}")
    return film(number, syntax, SOPInstanceUID=f"1.2.826.{number}")


def kept(receiving: Receiving) -> dict[str, tuple[str, bytes]]:
    """Return {SOP instance: (transfer syntax, data set)} of the files in the spool."""
    found = {}
    for path in receiving.files():
        file = path.read_bytes()
        assert path.stem == hashlib.sha256(file).hexdigest()
        body, instance = data_set_of(file)
        found[instance] = (str(dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID), body)
    return found


def test_storescu_s_films_arrive_as_sent_in_each_syntax(receiving: Start, tmp_path: Path) -> None:
    needs("storescu")
    at = receiving()
    sent = {}
    for number, syntax in enumerate(SYNTAXES):
        file = film_of(syntax, number)
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(file)
        body, instance = data_set_of(file)
        sent[instance] = (str(syntax), body)
        done = storescu(at.port, path, options=[OPTIONS[syntax]])
        assert done.returncode == 0, (syntax, done.stderr)
    found = kept(at)
    assert {instance: syntax for instance, (syntax, _) in found.items()} == {
        instance: syntax for instance, (syntax, _) in sent.items()
    }
    for instance, (syntax, body) in sent.items():
        if syntax == DeflatedExplicitVRLittleEndian:
            continue  # storescu deflates anew
        assert dcmread_pixels(found[instance], syntax) == dcmread_pixels((syntax, body), syntax)
    totals = at.totals()
    assert (totals.received, totals.waiting, totals.copies, totals.conflicts) == (len(SYNTAXES), len(SYNTAXES), 0, 0)
    assert at.parts() == []


def dcmread_pixels(film: tuple[str, bytes], syntax: str) -> bytes:
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    from pydicom.filereader import read_dataset

    return bytes(read_dataset(BytesIO(film[1]), implicit, little).PixelData)


def test_orthanc_s_films_arrive_as_it_has_them(receiving: Start, tmp_path: Path) -> None:
    needs("Orthanc")
    at = receiving()
    orthanc = started(OrthancServer, at.port)
    try:
        files = [
            film_of(syntax, number)
            for number, syntax in enumerate((JPEGLosslessSV1, ImplicitVRLittleEndian, RLELossless))
        ]
        for file in files:
            orthanc.ask("/instances", file)
        assert orthanc.send_all() == (len(files), 0)
        assert orthanc.send_all() == (len(files), 0)
    finally:
        orthanc.close()
    assert {syntax for syntax, _ in kept(at).values()} == {JPEGLosslessSV1, ImplicitVRLittleEndian, RLELossless}
    totals = at.totals()
    assert (totals.received, totals.copies, totals.conflicts) == (len(files), len(files), 0)


def associated(port: int, *contexts: tuple[str, list[str]], title: str = "PYNETDICOM"):  # type: ignore[no-untyped-def] # pynetdicom's
    from pynetdicom import AE

    entity = AE(ae_title=title)
    for abstract, syntaxes in contexts:
        entity.add_requested_context(abstract, syntaxes)
    return entity.associate("127.0.0.1", port, ae_title="WETREAD")


def test_other_bytes_under_one_instance_are_both_kept(receiving: Start, database: Database) -> None:
    at = receiving()
    first, second = (dcmread(BytesIO(film(number, SOPInstanceUID="1.2.826.7"))) for number in (1, 2))
    association = associated(at.port, (first.SOPClassUID, [ExplicitVRLittleEndian]))
    statuses = [int(association.send_c_store(one).Status) for one in (first, first, second, second)]
    association.release()
    assert statuses == [0, 0, 0, 0]
    totals = at.totals()
    assert (totals.received, totals.copies, totals.conflicts, len(at.files())) == (2, 2, 2, 2)
    with database.reading() as session:
        senders = session.execute(select(Received.calling_title, Received.called_title, Received.address)).all()
        assert set(map(tuple, senders)) == {("PYNETDICOM", "WETREAD", "127.0.0.1")}


def test_what_is_no_film_is_refused_or_noted_and_removed(receiving: Start) -> None:
    scan = dcmread(BytesIO(film(3)))
    scan.SOPClassUID = scan.file_meta.MediaStorageSOPClassUID = CTImageStorage
    at = receiving()
    with_echo = associated(
        at.port, (CTImageStorage, [ExplicitVRLittleEndian]), ("1.2.840.10008.1.1", [ImplicitVRLittleEndian])
    )
    assert [context.abstract_syntax for context in with_echo.accepted_contexts] == ["1.2.840.10008.1.1"]
    assert with_echo.send_c_echo().Status == 0
    with_echo.release()
    at.close()
    at = receiving(everything=True)
    association = associated(at.port, (CTImageStorage, [ExplicitVRLittleEndian]))
    assert association.send_c_store(scan).Status == 0
    association.release()
    assert (at.totals().not_wanted, at.totals().received, at.files(), at.parts()) == (1, 0, [], [])


def test_what_does_not_match_its_command_is_refused(receiving: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    at = receiving(limits=Limits(object_bytes=100_000))
    one = dcmread(BytesIO(film(3)))
    association = associated(at.port, (one.SOPClassUID, [ExplicitVRLittleEndian]))
    large = dcmread(BytesIO(film(4, side=400)))
    assert association.send_c_store(large).Status == 0xC000
    broken = Dataset()
    broken.SOPClassUID, broken.SOPInstanceUID, broken.file_meta = one.SOPClassUID, "1.2.3.4", one.file_meta
    assert association.send_c_store(broken).Status == 0
    real = data_set_of(film(5))[0]
    monkeypatch.setattr("pynetdicom.association.encode", lambda *_: real)  # a command for another instance
    assert association.send_c_store(one).Status == 0xA900
    monkeypatch.setattr("pynetdicom.association.encode", lambda *_: real[: len(real) // 2])
    assert association.send_c_store(one).Status == 0xC000
    association.release()
    assert (at.totals().received, at.parts()) == (1, [])


def test_too_many_associations_are_told_to_come_again(receiving: Start) -> None:
    needs("echoscu")
    at = receiving(limits=Limits(associations=3, associations_a_peer=2))
    echo = ("1.2.840.10008.1.1", [str(ImplicitVRLittleEndian)])
    mine = [associated(at.port, echo) for _ in range(3)]
    assert [one.is_established for one in mine] == [True, True, False]
    assert mine[2].is_rejected and mine[2].acceptor.primitive.result == 2
    other = [associated(at.port, echo, title="ORTHANC") for _ in range(2)]
    assert [one.is_established for one in other] == [True, False]
    mine[0].release()
    assert echoscu(at.port, "-aet", "STORESCU", "-aec", "WETREAD") or echoscu(
        at.port, "-aet", "STORESCU", "-aec", "WETREAD"
    )
    for one in (*mine, *other):
        one.abort()


def test_a_disk_below_its_watermark_refuses_before_it_takes(receiving: Start, tmp_path: Path) -> None:
    needs("storescu")
    free = os.statvfs(tmp_path)
    at = receiving(watermark=Watermark(free.f_bavail * free.f_frsize * 2, 0.0))
    (path,) = write_films(tmp_path / "films", 1)
    done = storescu(at.port, path)
    assert done.returncode != 0
    assert "Rejected Transient" in done.stderr
    assert (at.totals().received, at.files(), at.parts()) == (0, [], [])
