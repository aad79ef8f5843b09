"""The backups that docs/operations.md describes, taken while a run is going; what is restored goes on with it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from schemas.states import RunState
from tests.program import eventually, films, kill_group, with_model
from tests.screened import RunKit, done
from tests.servers.postgres_server import PostgresServer
from tests.servers.server import program_path
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.runs.accounts import RunAccount, run_account

FILMS = 8


def account(database: Database) -> RunAccount:
    with database.reading() as session:
        return run_account(session, 1)


def test_a_sqlite_backup_of_a_run_half_way_goes_on(tmp_path: Path) -> None:
    films(tmp_path / "archive", patients=FILMS)
    (tmp_path / "archive" / "manifest.csv").unlink()
    program = with_model(tmp_path / "home", WETREAD_BATCH_SIZE="1")
    file, backup = tmp_path / "home" / "results.db", tmp_path / "backup.db"
    database = Database(f"sqlite:///{file}")
    with closing(sqlite3.connect(file, timeout=60)) as connection:
        running = program.start("screen", tmp_path / "archive", "--workers", "1")
        begun = "SELECT 1 FROM runs WHERE done > 0"
        eventually(lambda: connection.execute(begun).fetchall(), what="a film")
        os.killpg(running.pid, signal.SIGSTOP)  # in the middle of whatever it does
        connection.execute("VACUUM INTO ?", (str(backup),))
    kill_group(running)
    for end in ("", "-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    backup.rename(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert 1 <= account(database).done < FILMS
    assert program.run("screen", tmp_path / "archive", "--workers", "1").returncode == 0
    after = account(database)
    assert (after.state, after.found, after.done) == (RunState.FINISHED, FILMS, FILMS)
    database.dispose()


def test_a_postgresql_backup_of_a_run_half_way_goes_on(
    tmp_path: Path, postgres_url: str, postgres_server: PostgresServer
) -> None:
    if not (program_path("pg_dump") and program_path("pg_restore")):
        assert os.environ.get("CI") != "true", "pg_dump and pg_restore come with PostgreSQL"
        pytest.skip("pg_dump and pg_restore not found")
    database = Database(postgres_url)
    ensure_schema(database)
    kit = RunKit(database, batch_size=2)
    run, recorded = kit.filled([b"a.png", b"b.png", b"c.png", b"d.png", b"e.png", b"f.png"])
    first, second, third = recorded.batch_ids
    held = kit.claim(first), kit.claim(second, lease_seconds=-1.0)
    assert held[0] is not None
    kit.settle(held[0], [done(item) for item in held[0].items])
    dump = str(tmp_path / "wetread.dump")
    plain = postgres_url.replace("+psycopg", "")
    with database.writing() as session:
        session.connection()  # a writer does not wait for the dump, nor the dump for it
        subprocess.run([program_path("pg_dump"), "--format", "custom", "--file", dump, plain], check=True)
    database.dispose()

    kit.database = Database(postgres_server.create_database("restored"))
    try:
        into = kit.database.url.replace("+psycopg", "")
        restore = [program_path("pg_restore"), "--exit-on-error", "--no-owner", "--no-privileges", "--dbname", into]
        subprocess.run([*restore, dump], check=True)
        ensure_schema(kit.database)
        before = kit.account(run)
        assert (before.state, before.done, before.pending) == (RunState.RUNNING, 2, 4)
        for batch in (second, third):
            again = kit.claim(batch, "other:1:1")
            assert again is not None
            kit.settle(again, [done(item) for item in again.items])
        next_run, more = kit.filled([b"a.png", b"new.png"])
        assert (more.skipped, more.pending) == (1, 1), "numbers go on behind those that were restored"
        assert next_run > run
        assert (kit.account(run).state, kit.account(run).done) == (RunState.FINISHED, 6)
    finally:
        kit.database.dispose()
        postgres_server.drop_database("restored")
