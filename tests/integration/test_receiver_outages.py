"""A disk that fills and a database that goes away: senders are told to try again, and then nothing has to be done."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from gateway.receiving.limits import Limits
from tests.program import eventually
from tests.receiving import Receiving, film, needs, storescu, write_films
from tests.services import PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", directory], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield directory
    subprocess.run(["umount", "--lazy", directory], check=True)


def test_a_disk_that_fills_answers_a700_and_takes_films_again_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    needs("storescu")
    database = Database(f"sqlite:///{tmp_path / 'results.db'}")
    ensure_schema(database)
    at = Receiving(database, tmp_path, spool_path=small_disk / "spool")
    try:
        at.start()
        paths = write_films(tmp_path / "films", 8, side=512)  # half a MiB each
        done = storescu(at.port, *paths, options=["-v"])
        said = done.stdout + done.stderr
        assert "Out of Resources" in said or "OutOfResources" in said or "0xa700" in said.lower(), said
        taken = at.totals().received
        assert 0 < taken < len(paths)
        assert len(at.files()) == taken
        assert at.parts() == []
        subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
        eventually(lambda: storescu(at.port, *paths).returncode == 0, seconds=180, what="films were taken again")
        assert (at.totals().received, len(at.files())) == (len(paths), len(paths))
    finally:
        at.close()
        database.dispose()


def test_a_database_that_stops_refuses_films_and_takes_them_again_when_it_is_back(
    start_postgres: Callable[[], PostgresServer], tmp_path: Path
) -> None:
    needs("storescu")
    server = start_postgres()
    database = Database(server.create_database("received"))
    ensure_schema(database)
    at = Receiving(database, tmp_path, limits=Limits(commit_seconds=20.0))
    try:
        at.start()
        from pynetdicom import AE

        entity = AE(ae_title="PYNETDICOM")
        first, second = (dcmread(BytesIO(film(number))) for number in (1, 2))
        entity.add_requested_context(first.SOPClassUID, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", at.port, ae_title="WETREAD")
        assert association.send_c_store(first).Status == 0
        server.stop()
        assert association.send_c_store(second).Status == 0xA700
        (path,) = write_films(tmp_path / "films", 1)
        eventually(
            lambda: "Rejected Transient" in storescu(at.port, path).stderr,
            seconds=180,
            what="associations were refused",
        )
        assert association.send_c_store(second).Status == 0xA700
        server.start()
        eventually(lambda: storescu(at.port, path).returncode == 0, seconds=180, what="films were taken again")
        if association.is_established:
            assert association.send_c_store(second).Status == 0
            association.release()
        assert at.totals().received >= 2
        assert os.path.exists(at.spool.films)
        assert at.parts() == []
    finally:
        at.close()
        database.dispose()
