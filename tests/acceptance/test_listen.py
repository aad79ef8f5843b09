"""`wetread listen` as its user runs it: what a PACS sends is read, and what was answered 0x0000 is not lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.scale import times
from tests.insisting_sender import InsistingSender
from tests.program import Program, eventually, kill_group, with_model
from tests.receiving import film, needs, storescu, write_films
from tests.servers.server import free_port

FILMS, KILLS, ASSOCIATIONS = times(1_000, 100), times(20, 3), times(10, 5)


@pytest.fixture(params=["embedded", "served"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """A program with a model; served: on PostgreSQL and Redis, with a worker."""
    if request.param == "embedded":
        yield with_model(tmp_path / "home")
        return
    services = {
        "WETREAD_DATABASE_URL": request.getfixturevalue("postgres_url"),
        "WETREAD_BROKER_URL": request.getfixturevalue("redis_url"),
    }
    served = with_model(tmp_path / "home", **services)
    worker = served.start("worker", "--concurrency", "1")
    yield served
    kill_group(worker)


@contextmanager
def listening(program: Program, port: int, *options: object, code: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Keep a receiver, and see that it ends in order."""
    listen = program.start("listen", "--port", port, "--workers", "1", "--least-free-gb", "0", *options)
    try:
        yield listen
        os.kill(listen.pid, signal.SIGTERM)
        _, said = listen.communicate(timeout=90)
    except BaseException:
        kill_group(listen)
        raise
    assert listen.returncode == code, said
    assert "Traceback" not in said


def let_in(program: Program, title: str = "STORESCU") -> None:
    assert program.run("peers", "add", title.lower(), "--title", title, "--address", "127.0.0.1").returncode == 0


def received(program: Program) -> dict[str, Any]:
    ended = program.run("status", "--json")
    return dict(json.loads(ended.stdout)["received"] | {"run": json.loads(ended.stdout)}) if ended.stdout else {}


@pytest.mark.service
@pytest.mark.timeout(900)
def test_what_is_sent_is_received_read_and_accounted_for(program: Program, tmp_path: Path) -> None:
    needs("storescu")
    let_in(program)
    port, paths = free_port(), write_films(tmp_path / "films", 4)
    with listening(program, port):
        eventually(lambda: storescu(port, *paths).returncode == 0, seconds=180, what="the films were taken")
        assert storescu(port, paths[0]).returncode == 0
        (tmp_path / "other.dcm").write_bytes(film(9, SOPInstanceUID=dcmread(paths[1]).SOPInstanceUID))
        assert storescu(port, tmp_path / "other.dcm").returncode == 0
        eventually(lambda: received(program)["taken"] == 5, seconds=180, what="the films were taken into a run")
        eventually(lambda: received(program)["run"]["done"] == 5, seconds=120, what="the films were read")
        now = received(program)
    assert (now["received"], now["taken"], now["waiting"]) == (5, 5, 0)
    assert now["copies"] >= 1
    assert now["conflicts"] == 2
    assert [alarm["kind"] for alarm in now["run"]["alarms"]] == ["received_conflict"]
    lines = program.lines("results", "list")
    assert len(lines) == 5
    kept = sorted(path.stem for path in (program.home / "spool" / "films").rglob("*.dcm"))
    assert sorted(line["sha256"] for line in lines) == kept
    # The same films as files are read already.
    screened = program.json("screen", program.home / "spool" / "films", "--workers", "1")
    assert (screened["found"], screened["skipped"]) == (5, 5)


def test_beyond_this_machine_it_wants_tls_or_a_word_and_says_who_may_send(tmp_path: Path) -> None:
    program = with_model(tmp_path / "home")
    refused = program.run("listen", "--host", "0.0.0.0", "--port", "0")  # noqa: S104  it is this that is refused
    assert refused.returncode == 2
    assert "--plain" in refused.stderr
    assert program.run("peers", "add", "x", "--title", "T" * 17, "--address", "10.0.0.1").returncode == 2
    let_in(program)
    assert program.json("peers", "list")[0]["title"] == "STORESCU"
    assert program.run("peers", "remove", "storescu").returncode == 0
    assert program.run("peers", "remove", "storescu").returncode == 2


# pynetdicom leaves the sockets open by which it could not connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(times(7200, 900))
def test_killed_while_films_come_every_answer_has_a_row_a_whole_file_and_a_settled_item(tmp_path: Path) -> None:
    program, port = with_model(tmp_path / "home"), free_port()
    let_in(program, "PYNETDICOM")
    films = [film(number) for number in range(FILMS)]
    acknowledged: list[str] = []
    senders = [InsistingSender(port, films[place::ASSOCIATIONS], acknowledged) for place in range(ASSOCIATIONS)]
    for sender in senders:
        sender.start()
    for kill in range(1, KILLS + 1):
        listen = program.start("listen", "--port", port, "--workers", "1", "--least-free-gb", "0")
        most = kill * FILMS // (KILLS + 1)
        try:
            eventually(lambda most=most: len(acknowledged) >= most, seconds=200, what="films were answered")  # type: ignore[misc] # a bound value
        finally:
            kill_group(listen)
        promised = set(acknowledged)
        rows = {instance for (instance,) in program.rows("SELECT sop_instance_uid FROM received")}
        assert promised <= rows
    with listening(program, port):
        for sender in senders:
            sender.join(300)
        assert len(acknowledged) == FILMS
        eventually(lambda: received(program)["run"]["pending"] == 0, seconds=300, what="all are read")
        eventually(lambda: received(program)["taken"] == FILMS, seconds=180, what="all are taken")
        eventually(lambda: received(program)["run"]["pending"] == 0, seconds=300, what="all are read")
    now = received(program)
    assert (now["received"], now["waiting"], now["conflicts"]) == (FILMS, 0, 0)
    assert assert_nothing_lost(program, program.home / "spool" / "films").done == FILMS
