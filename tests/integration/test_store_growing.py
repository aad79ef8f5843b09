"""In a new database, which PostgreSQL knows nothing of yet, the last batch is settled as soon as the first."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.screened import RunKit
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from worker import child, tasks

BATCHES = 30
SAID = "SELECT n_tup_ins, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'predictions'"
LIMIT_SECONDS = 30.0


@pytest.mark.service
def test_a_worker_reads_no_table_whole_for_what_it_settles(postgres_url: str) -> None:
    owner = Database(postgres_url)
    ensure_schema(owner)
    kit = RunKit(owner, batch_size=64)
    films = BATCHES * 64
    _, recorded = kit.filled([b"%06d.png" % number for number in range(films)])
    with owner.connecting() as connection:
        connection.exec_driver_sql("ANALYZE")  # as long as there is no reading: the plans that follow are made for none
    kit.database = Database(postgres_url, by_index=True)
    kit.settle_all(recorded)
    kit.database.dispose()  # its counts are told when it goes

    read = rows_read(owner, films)
    owner.dispose()
    assert read < 2 * films, "each reading would else be looked for among all before it"


@pytest.mark.service
def test_processes_that_read_films_ask_so_embedded_and_served(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = publish_tiny_model(postgres_url, tmp_path)
    settings = Settings(home=tmp_path, database_url=postgres_url)
    monkeypatch.setattr("worker.memory.bound_memory", lambda _limit: None)  # it would bound the tests
    monkeypatch.setattr("wetread.logs.set_up_logs", lambda: None)
    monkeypatch.setattr("wetread.logs.say_everywhere", lambda **_: None)
    monkeypatch.setattr("worker.heartbeat.SignOfLife.start", lambda _signs: None)
    monkeypatch.setattr(tasks, "load_settings", lambda: settings)
    embedded = child._prepare(child.ChildTask(1, digest, "numpy", settings), threading.Event())
    served, _ = tasks.batch_worker.__wrapped__()
    for worker in (embedded, served):
        for asking in (worker.database.reading, worker.database.writing):
            with asking() as session:
                assert session.scalar(text("SHOW enable_seqscan")) == "off"
        worker.database.dispose()


def rows_read(database: Database, films: int) -> int:
    """Return how many readings were looked at by reading the table whole, once as many as films are counted in it."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        with database.reading() as session:
            stored, read = session.execute(text(SAID)).one()
        if stored == films:
            return int(read)
        time.sleep(0.05)
    raise AssertionError(f"expected {films} readings counted within {LIMIT_SECONDS:g} s, found {stored}")
