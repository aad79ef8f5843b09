"""A question makes and writes nothing, and whoever may only read the database can ask it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from schemas.errors import NoDatabase, RightsMissing, ServiceUnavailable
from tests.asking import Asker
from tests.program import REPOSITORY, Program, films, with_model
from wetread.store.core.database import Database
from wetread.store.core.migrating import check_schema

QUESTIONS = (
    ("results", "list"), ("results", "summary"), ("results", "export"), ("results", "show", "/x"), ("errors", "list"),
    ("runs", "list"), ("status",), ("report",), ("schedule", "list"), ("schedule", "history"), ("models", "list"),
    ("models", "show"), ("results", "diff", "a", "b"), ("results", "delete", "--path", "/x", "--yes"),
)  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_a_question_to_a_mistyped_home_is_refused_and_makes_nothing(question: tuple[str, ...], tmp_path: Path) -> None:
    answer = Asker(tmp_path / "mistyped").ask(*question)
    assert (answer.code, answer.out) == (4, ""), answer.err
    assert f"no database at {tmp_path / 'mistyped' / 'results.db'}" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_look_at_the_installation_makes_nothing(tmp_path: Path) -> None:
    asker = Asker(tmp_path / "mistyped")
    found = {one["what"]: one for one in asker.ask("doctor", "--json").json}
    assert found["database"]["state"] == "absent"
    assert "no database at" in found["database"]["found"]
    assert asker.ask("health", "database").code == 4
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Program]:
    """A home with three readings, which its owner alone may write; no writer is at work."""
    program = with_model(tmp_path / "home")
    films(tmp_path / "archive", patients=3)
    (tmp_path / "archive" / "manifest.csv").unlink()
    program.json("screen", tmp_path / "archive")
    yield program
    program.home.chmod(0o700)


def lock(program: Program) -> None:
    for path in program.home.glob("results.db*"):
        path.chmod(0o444)
    program.home.chmod(0o555)


def as_reader(program: Program, *words: str) -> subprocess.CompletedProcess[str]:
    """Run as one whose permissions count, also where root runs the tests."""
    wrapper = [sys.executable, str(REPOSITORY / "tests" / "hostile" / "ordinary_user.py"), os.devnull]
    return subprocess.run(
        [*wrapper, sys.executable, "-m", "cli", *words], env=program.env(), capture_output=True, text=True, check=False
    )


def test_who_may_only_read_the_file_asks_it_at_rest_and_while_it_is_written(read: Program) -> None:
    before = sorted(path.name for path in read.home.glob("results.db*"))
    assert before == ["results.db"]
    lock(read)
    for question in (("results", "list"), ("report",)):
        ended = as_reader(read, *question)
        assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in read.home.glob("results.db*")) == before
    read.home.chmod(0o755)
    (read.home / "results.db").chmod(0o644)
    writer = sqlite3.connect(read.home / "results.db")
    writer.execute("UPDATE runs SET note = 'written meanwhile'")
    writer.commit()
    lock(read)
    ended = as_reader(read, "runs", "list")
    assert (ended.returncode, "written meanwhile" in ended.stdout) == (0, True), ended.stderr
    writer.close()


def test_a_writers_last_words_are_not_passed_over(read: Program) -> None:
    """A log without its index holds commits that the file lacks: whoever may not mend that is not told half."""
    left = read.home.parent / "left"
    left.mkdir()
    writer = sqlite3.connect(read.home / "results.db")
    writer.execute("UPDATE runs SET note = 'in the log'")
    writer.commit()
    for name in ("results.db", "results.db-wal"):
        shutil.copy(read.home / name, left / name)
    writer.close()
    for name, content in ((path.name, path.read_bytes()) for path in sorted(left.iterdir())):
        (read.home / name).write_bytes(content)
    lock(read)
    ended = as_reader(read, "runs", "list")
    assert (ended.returncode, ended.stdout) == (4, ""), ended.stderr
    assert "a writer died" in ended.stderr
    read.home.chmod(0o755)
    for path in read.home.glob("results.db*"):
        path.chmod(0o644)
    assert "in the log" in read.run("runs", "list").stdout


def test_an_answer_from_a_file_that_was_written_meanwhile_is_withdrawn(
    read: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    database = Database(f"sqlite:///{read.home / 'results.db'}", asked=True)
    with pytest.raises(ServiceUnavailable, match="ask again"), database.reading() as session:
        session.execute(text("SELECT count(*) FROM runs")).all()
        writer = sqlite3.connect(read.home / "results.db")
        writer.execute("UPDATE runs SET note = 'moved'")
        writer.commit()
        writer.close()
    database.dispose()


def test_a_question_leaves_no_file_behind_and_writes_no_row(read: Program) -> None:
    before = {path.name: path.read_bytes() for path in read.home.glob("results.db*")}
    for question in (("results", "list"), ("results", "summary"), ("runs", "list"), ("models", "list"), ("doctor",)):
        assert Asker(read.home).ask(*question).code == 0
    assert {path.name: path.read_bytes() for path in read.home.glob("results.db*")} == before
    database = Database(f"sqlite:///{read.home / 'results.db'}", asked=True)
    with pytest.raises(RightsMissing), database.writing() as session:
        session.execute(text("UPDATE runs SET note = 'x'"))
    database.dispose()


def test_an_older_database_is_left_as_it_is_and_says_what_to_do(read: Program) -> None:
    with sqlite3.connect(read.home / "results.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0009'")
    connection.close()
    answer = Asker(read.home).ask("results", "list")
    assert (answer.code, answer.out) == (4, "")
    assert "wetread migrate" in answer.err
    assert read.rows("SELECT version_num FROM alembic_version") == [("0009",)]


def test_an_empty_file_is_no_database_until_it_is_migrated(tmp_path: Path) -> None:
    asker = Asker(tmp_path)
    (tmp_path / "results.db").touch()
    assert "no database at" in asker.ask("results", "list").err
    assert (tmp_path / "results.db").stat().st_size == 0
    assert asker.ask("migrate").code == 0
    assert asker.ask("models", "list", "--json").json[0]["aliases"] == ["production", "shipped"]


def test_a_question_to_postgresql_cannot_write(postgres_url: str) -> None:
    database = Database(postgres_url, asked=True)
    with pytest.raises(NoDatabase):
        check_schema(database)
    with pytest.raises(RightsMissing), database.writing() as session:
        session.execute(text("CREATE TABLE t (a int)"))
    database.dispose()
