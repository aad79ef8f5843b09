"""Films fetched from Orthanc by WADO-RS, C-GET and C-MOVE: the same set, equal to what Orthanc says it has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import CTImageStorage, JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from gateway.pulling.pull_order import Wanted
from schemas.states import PullState
from tests.chaos.scale import times
from tests.pulling import PullKit, accounts, needs_dicomweb, study_film
from tests.receiving import Receiving, needs
from tests.servers.orthanc_server import OrthancServer
from tests.servers.server import free_port
from tests.services import started
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.received.peers import Calls, list_peers, remove_peer
from wetread.store.received.pulls import PullRow
from wetread.store.received.received_films import read_received

THE_DAY = Wanted(since=date(2026, 3, 1), until=date(2026, 3, 1))
STUDIES = times(250, 60)
COMPRESSED = {3: JPEGLosslessSV1, 4: JPEG2000Lossless, 5: RLELossless}


@pytest.fixture(scope="module")
def orthanc() -> Iterator[OrthancServer]:
    """An Orthanc with many studies of one day, of which one has two films and a CT series, and one of another day."""
    needs("Orthanc")
    needs_dicomweb()
    server = started(OrthancServer, free_port())  # type: ignore[arg-type] # a port, and no server
    try:
        for study in range(STUDIES):
            server.ask("/instances", study_film(study, syntax=COMPRESSED.get(study, "1.2.840.10008.1.2.1")))
        server.ask("/instances", study_film(0, 1))
        server.ask("/instances", scan_of(study_film(0, 2, Modality="CT", SeriesInstanceUID="1.2.826.5.0.2")))
        server.ask("/instances", study_film(9_999, day="20260302"))
        yield server
    finally:
        server.close()


def scan_of(data: bytes) -> bytes:
    """The same as a CT."""
    record = dcmread(BytesIO(data))
    record.SOPClassUID = record.file_meta.MediaStorageSOPClassUID = CTImageStorage
    written = BytesIO()
    record.save_as(written)
    return written.getvalue()


def kit_of(database: Database, folder: Path, orthanc: OrthancServer) -> PullKit:
    return PullKit(database, folder, Calls(port=orthanc.dicom_port, web=orthanc.web))


def films(kit: PullKit) -> dict[str, tuple[str, str]]:
    """{instance: (SHA-256, transfer syntax)} of what the spool has."""
    found = {}
    for path in kit.files():
        record = dcmread(path, stop_before_pixels=True)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.stem == digest
        found[str(record.SOPInstanceUID)] = (digest, str(record.file_meta.TransferSyntaxUID))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_same_set_by_three_ways(database: Database, tmp_path: Path, orthanc: OrthancServer) -> None:
    found = {}
    for via in ("wado", "get"):
        kit = kit_of(database if via == "wado" else other(tmp_path, via), tmp_path / via, orthanc)
        row = kit.pull(THE_DAY, via, connections=4)
        is_whole(kit, row)
        found[via] = films(kit)
    instances = {f"1.2.826.5.{study}.1.0" for study in range(STUDIES)} | {"1.2.826.5.0.1.1"}
    assert found["get"].keys() == found["wado"].keys() == instances
    # Which is what makes one reading of them. RLE is written anew by who sends it by C-STORE.
    differing = {instance for instance in instances if found["get"][instance] != found["wado"][instance]}
    assert differing <= {"1.2.826.5.5.1.0"}
    assert {found["get"][f"1.2.826.5.{study}.1.0"][1] for study in COMPRESSED} == set(map(str, COMPRESSED.values()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_receiver_gets_what_is_moved(database: Database, tmp_path: Path) -> None:
    needs("Orthanc")
    receiving = Receiving(database, tmp_path).start()
    server = started(OrthancServer, receiving.port)  # type: ignore[arg-type] # a port, and no server
    try:
        for study in range(12):
            server.ask("/instances", study_film(study))
        kit = PullKit(database, tmp_path, Calls(port=server.dicom_port))
        row = kit.pull(THE_DAY, "move")
        assert (row.state, row.note, accounts(row)) == (PullState.FINISHED, None, (12, 0, 12, 0, 0, 0))
        assert (receiving.totals().received, receiving.totals().copies) == (12, 0)
        # All of it is here: the same again fetches nothing.
        assert accounts(kit.pull(THE_DAY, "get")) == (12, 0, 12, 0, 0, 0)
        assert (receiving.totals().received, receiving.totals().copies) == (12, 0)
        assert kit.left_over() == []
    finally:
        receiving.close()
        server.close()


def test_one_study_with_what_is_no_film(database: Database, tmp_path: Path, orthanc: OrthancServer) -> None:
    for wanted in (Wanted(study_uid="1.2.826.5.0"), Wanted(accession="A0")):
        row = kit_or_same(database, tmp_path, orthanc).pull(wanted, "wado")
        assert (row.state, row.studies, row.short) == (PullState.FINISHED, 1, 0)
        assert accounts(row) == (2, 0, 2, 0, 0, 0)  # the CT's series is counted, and not listed
    row = kit_or_same(database, tmp_path, orthanc).pull(Wanted(study_uid="1.2.826.5.0", modalities=("CT",)), "wado")
    assert accounts(row) == (1, 0, 0, 0, 0, 1)


def kit_or_same(database: Database, folder: Path, orthanc: OrthancServer) -> PullKit:
    with database.writing() as session:
        if list_peers(session):
            remove_peer(session, "pacs")
    return kit_of(database, folder, orthanc)


def is_whole(kit: PullKit, row: PullRow) -> None:
    assert (row.state, row.note, row.studies, row.short) == (PullState.FINISHED, None, STUDIES, 0)
    assert accounts(row) == (STUDIES + 1, 0, STUDIES + 1, 0, 0, 0)
    assert kit.left_over() == []
    with kit.database.reading() as session:
        totals = read_received(session)
    assert (totals.received, totals.waiting, totals.copies) == (STUDIES + 1, STUDIES + 1, 0)


def other(folder: Path, name: str) -> Database:
    opened = Database(f"sqlite:///{folder / name}.db")
    ensure_schema(opened)
    return opened
