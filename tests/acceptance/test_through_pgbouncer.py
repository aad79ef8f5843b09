"""Everything that a night needs, through PgBouncer in transaction mode with the settings that it comes with."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.serving import workers
from tests.program import films, with_model
from tests.services import PgBouncerServer, PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import HEAD, ensure_schema, schema_revision


@pytest.fixture
def bounced(postgres_server: PostgresServer, postgres_url: str, pgbouncer: PgBouncerServer) -> str:
    return pgbouncer.before(postgres_url)


def test_migrations_and_transactions_that_share_one_session(bounced: str) -> None:
    database = Database(bounced, by_index=True)
    ensure_schema(database)
    assert schema_revision(database) == HEAD
    statement = text("SELECT current_setting('enable_seqscan'), pg_backend_pid() WHERE :n > 0")
    for number in range(1, 8):  # a statement that comes again would be prepared
        with database.writing() as session:
            assert session.execute(statement, {"n": number}).one()[0] == "off"
    other = Database(bounced)
    for _ in range(7):  # in the session that the first one used, which holds nothing of it
        with other.writing() as session:
            assert session.execute(statement, {"n": 1}).one()[0] == "on"
    with database.reading() as session, other.reading() as beside:
        mine, theirs = session.execute(statement, {"n": 1}).one(), beside.execute(statement, {"n": 1}).one()
    assert (mine[0], theirs[0]) == ("off", "on")
    assert mine[1] != theirs[1]
    with other.reading() as session:
        rows = session.execute(text("SELECT generate_series(1, 5000)").execution_options(yield_per=100))
        assert sum(1 for _ in rows) == 5000, "a cursor of the server's lives in its transaction"
    database.dispose()
    other.dispose()


def test_a_screening_without_a_broker_its_results_and_a_schedule(bounced: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    films(archive, patients=6)
    (archive / "manifest.csv").unlink()  # it is no film
    program = with_model(tmp_path / "home", WETREAD_DATABASE_URL=bounced)
    assert program.json("screen", archive, "--workers", "2")["done"] == 6
    assert len(program.lines("results", "list")) == 6
    added = program.run("schedule", "add", "nightly", archive, "--cron", "0 22 * * *", "--timezone", "UTC")
    assert added.returncode == 0, added.stderr
    deleted = program.run("results", "delete", "--path", f"{archive}/", "--yes")
    assert deleted.returncode == 0, deleted.stderr


def test_workers_and_a_screening_behind_a_broker(bounced: str, redis_url: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    films(archive, patients=6)
    (archive / "manifest.csv").unlink()  # it is no film
    environment = {"WETREAD_DATABASE_URL": bounced, "WETREAD_BROKER_URL": redis_url, "WETREAD_BATCH_SIZE": "2"}
    program = with_model(tmp_path / "home", **environment)
    with workers(program, 2):
        assert program.json("screen", archive)["done"] == 6
    assert_nothing_lost(program, archive)
