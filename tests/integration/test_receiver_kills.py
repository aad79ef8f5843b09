"""A receiver that is killed at each point, and while films come: 0x0000 is a promise that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from sqlalchemy import select

from schemas.tables import Received
from tests.insisting_sender import InsistingSender
from tests.program import eventually
from tests.receiving import Receiving, film, needs, storescu, write_films
from wetread.store.core.database import Database

KILLS, FILMS, ASSOCIATIONS = 3, 40, 4


@pytest.fixture
def at(database: Database, tmp_path: Path) -> Iterator[Receiving]:
    receiving = Receiving(database, tmp_path)
    yield receiving
    receiving.close()


def rows(at: Receiving) -> set[tuple[str, str]]:
    with at.database.reading() as session:
        return set(map(tuple, session.execute(select(Received.sop_instance_uid, Received.sha256))))


def assert_each_row_has_its_whole_file(at: Receiving) -> None:
    files = {path.stem: dcmread(path) for path in at.files()}
    assert {digest for _, digest in rows(at)} <= set(files)
    for instance, digest in rows(at):
        assert files[digest].SOPInstanceUID == instance
        assert len(files[digest].PixelData) == 96 * 96 * 2


@pytest.mark.parametrize(
    ("point", "answered", "kept"),
    [
        ("received_part", False, 0),
        ("received_synced", False, 0),
        ("received_renamed", False, 1),  # adopted: it is whole
        ("received_committed", False, 1),
        ("received_answered", True, 1),
    ],
)
def test_killed_at_each_point_nothing_that_was_answered_is_lost(
    at: Receiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, answered: bool, kept: int
) -> None:
    needs("storescu")
    (tmp_path / "counts").mkdir()
    monkeypatch.setenv("WETREAD_FAILPOINT", f"{point}:kill:1")
    monkeypatch.setenv("WETREAD_FAILPOINT_COUNTS", str(tmp_path / "counts"))
    at.start()
    (path,) = write_films(tmp_path / "films", 1)
    done = storescu(at.port, path, options=["-v"])
    assert ("Received Store Response (Success)" in done.stdout + done.stderr) == answered
    eventually(lambda: not at.process.is_running() or at.process.status() == "zombie", seconds=180, what="its death")
    at.watch_until_serving()
    eventually(lambda: at.totals().received == kept, seconds=180, what="what it left was adopted or removed")
    assert at.parts() == []
    assert len(at.files()) == kept
    assert storescu(at.port, path).returncode == 0
    totals = at.totals()
    assert (totals.received, totals.waiting, totals.conflicts, len(at.files())) == (1, 1, 0, 1)
    assert totals.copies == kept
    assert_each_row_has_its_whole_file(at)


# pynetdicom leaves the sockets open by which it could not connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_while_films_come_over_several_associations_nothing_is_lost(at: Receiving) -> None:
    at.start()
    films = [film(number) for number in range(FILMS)]
    acknowledged: list[str] = []
    senders = [InsistingSender(at.port, films[place::ASSOCIATIONS], acknowledged) for place in range(ASSOCIATIONS)]
    for sender in senders:
        sender.start()
    for kill in range(1, KILLS + 1):
        eventually(
            lambda kill=kill: len(acknowledged) >= kill * FILMS // (KILLS + 1), seconds=250, what="films were answered"
        )  # type: ignore[misc] # a bound value
        promised = set(acknowledged)
        at.kill()
        at.watch_until_serving()
        assert promised <= {instance for instance, _ in rows(at)}
    for sender in senders:
        sender.join(220)
    assert len(acknowledged) == FILMS
    eventually(lambda: at.totals().received == FILMS, seconds=180, what="all are there")
    assert len(at.files()) == FILMS
    assert at.totals().conflicts == 0
    assert_each_row_has_its_whole_file(at)
