"""SQLite's file is removed or replaced while it is open: whoever uses it ends with exit 4, and nobody says "done"."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from schemas.errors import DatabaseReplaced, WetreadError
from tests.program import Program, eventually, films, kill_group, with_model
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from worker.waiting import Patience

NOTE = text("INSERT INTO alias_changes (alias, model_digest, changed_at) VALUES ('production', 'x', '2026-01-01')")


@pytest.fixture
def opened(tmp_path: Path) -> Database:
    """A SQLite database that is open."""
    database = Database(f"sqlite:///{tmp_path / 'results.db'}")
    ensure_schema(database)
    return database


def write(database: Database) -> None:
    with database.writing() as session:
        session.execute(NOTE)


def remove(file: Path) -> None:
    file.unlink()


def replace(file: Path) -> None:
    shutil.copy(file, file.with_name("backup"))
    file.with_name("backup").rename(file)


@pytest.mark.parametrize("change", [remove, replace])
@pytest.mark.parametrize("name", ["results.db", "results.db-wal", "results.db-shm"])
def test_nothing_is_read_or_written_any_more(
    opened: Database, tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    write(opened)
    change(tmp_path / name)
    for _ in range(2):
        with pytest.raises(DatabaseReplaced, match="removed or replaced"):
            write(opened)
        with pytest.raises(DatabaseReplaced), opened.reading() as session:
            session.execute(text("SELECT 1"))
    assert name != "results.db" or change is replace or not (tmp_path / name).exists(), "an empty file was left"


def test_what_is_committed_into_a_file_that_is_gone_is_not_taken_for_written(opened: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseReplaced), opened.writing() as session:
        session.execute(NOTE)
        (tmp_path / "results.db").unlink()


def test_nobody_waits_for_a_file_that_does_not_come_back(opened: Database, tmp_path: Path) -> None:
    (tmp_path / "results.db").unlink()
    with pytest.raises(DatabaseReplaced) as gone:
        write(opened)
    with pytest.raises(DatabaseReplaced):
        Patience().away(gone.value)


def test_others_that_open_and_close_it_replace_nothing(opened: Database) -> None:
    """The last that closes it removes the files beside it, and they come back as others."""
    faults: list[BaseException] = []

    def use() -> None:
        try:
            for _ in range(20):
                other = Database(opened.url)
                write(other)
                other.dispose()
        except WetreadError as error:
            faults.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write(opened)
    opened.dispose()
    write(opened)
    assert faults == []


def test_the_file_and_those_beside_it_are_their_makers_alone(opened: Database, tmp_path: Path) -> None:
    write(opened)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("results.db", "results.db-wal", "results.db-shm"), 0o600)


def test_rights_that_somebody_gave_to_a_database_stay(opened: Database, tmp_path: Path) -> None:
    opened.dispose()
    (tmp_path / "results.db").chmod(0o640)
    again = Database(opened.url)
    write(again)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program with a model, and films to read."""
    films(tmp_path / "archive", patients=8)
    return with_model(tmp_path / "home")


@pytest.mark.parametrize("command", ["screen", "watch"])
def test_a_run_whose_database_is_gone_ends_with_exit_4(program: Program, tmp_path: Path, command: str) -> None:
    running = program.start(command, tmp_path / "archive", "--workers", "1")
    eventually(lambda: program.rows("SELECT count(*) FROM runs") == [(1,)], what="the run")
    replace(program.home / "results.db")
    _, said = running.communicate(timeout=60)
    assert (running.returncode, "removed or replaced" in said) == (4, True), said
    assert "Traceback" not in said


def has_open(pid: int, file: Path) -> bool:
    """Return whether a process has a file open, as Linux tells it."""
    for opened in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it closes others meanwhile
            if os.readlink(opened) == str(file):
                return True
    return False


def test_beat_ends_with_exit_4(program: Program) -> None:
    program.environment["WETREAD_SWEEP_SECONDS"] = "1"
    beat = program.start("beat")
    try:
        eventually(lambda: has_open(beat.pid, program.home / "results.db-wal"), what="beat's first look")
        replace(program.home / "results.db")
        _, said = beat.communicate(timeout=60)
    finally:
        if beat.poll() is None:
            kill_group(beat)
    assert (beat.returncode, "removed or replaced" in said) == (4, True), said


@pytest.mark.service
def test_a_worker_opens_what_is_there_now(program: Program, redis_url: str) -> None:
    program.environment |= {"WETREAD_BROKER_URL": redis_url, "WETREAD_SWEEP_SECONDS": "1"}
    worker = program.start("worker", "--concurrency", "1")
    try:
        eventually(lambda: program.rows("SELECT count(*) FROM workers") == [(1,)], what="the worker's row")
        replace(program.home / "results.db")
        program.run("errors", "list")  # made whole from the log beside it, as a backup is
        eventually(
            lambda: (
                program.rows("SELECT count(*) FROM workers WHERE seen_at > (SELECT strftime('%s', 'now') - 5)")
                == [(1,)]
            ),
            what="the worker on the database that is there now",
        )
        os.kill(worker.pid, signal.SIGTERM)
        _, said = worker.communicate(timeout=60)
        # Where the signal comes while it restarts, before it listens to signals, it ends by it.
        assert worker.returncode in (0, -signal.SIGTERM) and "this worker restarts itself" in said, said
    finally:
        if worker.poll() is None:
            kill_group(worker)
