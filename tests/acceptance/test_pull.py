"""`wetread pull` as its user runs it: fetched, read, accounted for, and gone on with after kill -9."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gateway.receiving.received_run import Listening
from schemas.states import RunState
from schemas.walk_rules import USUAL_WALK
from screening.watch_order import WatchWish
from tests.program import Program, eventually, kill_group, with_model
from tests.pulling import needs_dicomweb, study_film
from tests.receiving import needs
from tests.servers.orthanc_server import OrthancServer
from tests.servers.server import free_port
from tests.services import started
from wetread.settings import Settings
from wetread.store.core.database import Database

FILMS = 40


@pytest.fixture
def orthanc() -> Iterator[OrthancServer]:
    needs("Orthanc")
    needs_dicomweb()
    users = {"AuthenticationEnabled": True, "RegisteredUsers": {"wetread": "s3cret-word"}}
    server = started(OrthancServer, free_port(), users)  # type: ignore[arg-type] # a port and its changes
    try:
        for study in range(FILMS):
            server.ask("/instances", study_film(study, side=96))
        yield server
    finally:
        server.close()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return with_model(tmp_path / "home")


def known(program: Program, orthanc: OrthancServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wetread:s3cret-word\n")
    secret.chmod(0o600)
    added = program.run(
        "peers", "add", "pacs", "--title", "ORTHANC", "--address", "127.0.0.1", "--port", orthanc.dicom_port,
        "--web", orthanc.web, "--secret-file", secret,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr


def pull(*options: object) -> tuple[object, ...]:
    return ("pull", "pacs", "--since", "2026-03-01", "--until", "2026-03-01", "--least-free-gb", "0", *options)


@pytest.mark.timeout(600)
def test_a_pull_is_read_and_goes_on_after_kill_9(program: Program, orthanc: OrthancServer, tmp_path: Path) -> None:
    known(program, orthanc, tmp_path)
    for kill in range(1, 3):
        going = program.start(*pull("--pace", "1200", "--workers", "1"))
        try:
            eventually(lambda most=kill * 10: received(program) >= most, seconds=120, what="films came")  # type: ignore[misc] # a bound value
        finally:
            kill_group(going)
    row = program.json(*pull("--workers", "1"))
    assert (row["state"], row["asked"], row["received"], row["pending"]) == ("finished", FILMS, FILMS, 0)
    assert [one["pull"] for one in program.json("pulls")] == [row["pull"]]
    status = program.json("status")
    assert (status["done"] + status["rejected"], status["pending"], status["state"]) == (FILMS, 0, "finished")
    came = status["received"]
    assert (came["received"], came["taken"], came["waiting"], came["conflicts"]) == (FILMS, FILMS, 0, 0)
    assert not list((program.home / "spool" / "fetching").iterdir())
    everything = b"".join(path.read_bytes() for path in program.home.rglob("results.db*"))
    assert b"s3cret-word" not in everything and b"Doe^" not in everything


def received(program: Program) -> int:
    try:
        ((count,),) = program.rows("SELECT count(*) FROM received")
    except Exception:  # noqa: BLE001 - the database is being made
        return 0
    return int(str(count))


@pytest.mark.timeout(300)
class Done:
    """What brought films, and brings no more."""

    def start(self) -> None:
        pass

    def watch(self, seconds: float = 0.0) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.mark.timeout(600)
def test_what_was_fetched_before_reading_begins_is_read_to_its_end(
    program: Program, orthanc: OrthancServer, tmp_path: Path
) -> None:
    """Nothing more comes as the films are taken: the accounts of a moment before say that none is left to read."""
    known(program, orthanc, tmp_path)
    assert program.json(*pull("--no-read"))["received"] == FILMS
    url = f"sqlite:///{program.home / 'results.db'}"
    database, settings = Database(url), Settings(home=program.home, database_url=url)  # type: ignore[arg-type] # a secret
    films = str(program.home / "spool" / "films")
    wish = WatchWish([films], "production", None, "numpy", 1, 0.0, 1.0, None, USUAL_WALK, settings.accepted)
    order = wish.ordered(database, settings, lambda _: None)
    listening = Listening(database, settings, order, Done(), threading.Event(), lambda _: None, lambda: None)
    listening.done = lambda: True
    account = listening.listen()
    database.dispose()
    assert (account.state, account.done + account.rejected, account.pending) == (RunState.FINISHED, FILMS, 0)


def test_a_pull_that_cannot_be_says_why(program: Program, orthanc: OrthancServer, tmp_path: Path) -> None:
    known(program, orthanc, tmp_path)
    assert program.run(*pull("--via", "move")).returncode == 2
    assert "wetread listen" in program.run(*pull("--via", "move")).stderr
    (tmp_path / "secret").chmod(0o644)
    refused = program.run(*pull())
    assert (refused.returncode, "chmod 600" in refused.stderr) == (2, True)
    (tmp_path / "secret").write_text("wetread:wrong")
    (tmp_path / "secret").chmod(0o600)
    assert "let in" in program.run(*pull()).stderr
    nothing = program.run("pull", "pacs", "--last-days", "1", "--via", "get", "--no-read", "--least-free-gb", "0")
    assert nothing.returncode == 0, nothing.stderr
    orthanc.stop()
    away = program.run(*pull("--via", "get", "--no-read"))
    assert (away.returncode, "goes on later" in away.stderr) == (4, True), away.stderr


@pytest.mark.timeout(300)
def test_interrupted_it_ends_in_order(program: Program, orthanc: OrthancServer, tmp_path: Path) -> None:
    known(program, orthanc, tmp_path)
    going = program.start(*pull("--pace", "60", "--workers", "1", "--json"))
    eventually(lambda: received(program) >= 2, seconds=120, what="films came")
    os.kill(going.pid, signal.SIGINT)
    said, told = going.communicate(timeout=150)
    assert going.returncode == 130, told
    row = json.loads(said)
    assert row["state"] == "fetching" and row["pending"] + row["received"] == FILMS


@pytest.mark.timeout(600)
def test_a_night_fetches_and_reads(program: Program, orthanc: OrthancServer, tmp_path: Path) -> None:
    known(program, orthanc, tmp_path)
    today = f"{datetime.now().astimezone():%Y%m%d}"
    for study in range(3):
        orthanc.ask("/instances", study_film(5_000 + study, day=today, side=96))
    row = program.json("schedule", "add", "night", "pacs:pacs", "--cron", "* * * * *", "--pace", "600")
    assert row["pull"]["peer"] == "pacs"
    assert program.run("schedule", "run-now", "night").returncode == 2
    beat = program.start("beat", "--workers", "1")
    try:
        eventually(lambda: received(program) == 3, seconds=240, what="the films came")
        eventually(
            lambda: any((run["state"], run["done"]) == ("finished", 3) for run in program.json("runs", "list")),
            seconds=240, what="they are read",
        )  # fmt: skip
    finally:
        kill_group(beat)
    assert program.json("pulls")[-1]["received"] == 3
    assert program.json("schedule", "history")[-1]["outcome"] == "started"  # and nothing of what was refused by hand
