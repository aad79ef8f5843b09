"""What PostgreSQL does not answer ends in a stated time, what it works on does not end."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import text

from cli.progress import RunProgress
from cli.status import _wait
from schemas.errors import ServiceUnavailable
from schemas.states import RunState
from tests.hanging import stopped
from tests.program import eventually
from tests.screened import RunKit
from tests.servers.postgres_server import PostgresServer
from tests.services import started
from wetread.store.core import limits
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.core.names import Names
from wetread.store.runs.accounts import RunAccount


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second's silence is long."""
    monkeypatch.setattr(limits, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(limits, "SILENT_AGAIN_SECONDS", 0.5)
    monkeypatch.setattr(limits, "ASKING_SECONDS", 0.5)
    monkeypatch.setitem(limits.NETWORK, "connect_timeout", 2)


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server to stop."""
    server = started(PostgresServer)
    yield server
    server.close()


def seconds_to_fail(database: Database, kind: type[Exception] = ServiceUnavailable) -> float:
    began = time.monotonic()
    with pytest.raises(kind), database.reading() as session:
        session.execute(text("SELECT 1"))
    return time.monotonic() - began


class Hole:
    """A port that leads to a server until it is closed over: from then on it takes what comes, and sends nothing."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._swallows = threading.Event()
        self._sockets: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._take, daemon=True).start()

    def close_over(self) -> None:
        self._swallows.set()

    def end(self) -> None:
        for one in [self._listener, *self._sockets]:
            one.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._swallows.is_set():
                    target.sendall(data)


def test_a_server_that_is_stopped_is_given_up_and_one_that_works_is_not(
    quick: None, own_server: PostgresServer
) -> None:
    server = own_server
    database = Database(server.url)
    with database.reading() as session:
        assert session.scalar(text("SELECT 7 FROM pg_sleep(3)")) == 7, "it says that it is at it"
    with stopped(server):
        assert seconds_to_fail(database) < 5, "of a connection that stood open, and then of a new one"
        assert seconds_to_fail(Database(server.url)) < 4
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1, "it goes on where it was stopped"
    database.dispose()


def test_a_hole_between_the_two_is_noticed(quick: None, postgres_server: PostgresServer) -> None:
    hole = Hole(postgres_server.port)
    database = Database(postgres_server.url.replace(f":{postgres_server.port}/", f":{hole.port}/"))
    with pytest.raises(ServiceUnavailable), database.writing() as session:
        session.execute(text("SELECT 1"))
        hole.close_over()
        began = time.monotonic()
        session.execute(text("SELECT 2"))
    assert time.monotonic() - began < 5
    database.dispose()
    hole.end()


def test_an_answer_that_was_lost_is_noticed_though_the_server_lives(
    quick: None, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hole = Hole(postgres_server.port)
    url = postgres_server.url.replace(f":{postgres_server.port}/", f":{hole.port}/")
    database = Database(url)
    with pytest.raises(ServiceUnavailable, match="lost"), database.reading() as session:
        session.execute(text("SELECT 1"))
        hole.close_over()
        # Asked directly, the server answers: it never heard of the statement.
        monkeypatch.setattr("wetread.store.core.postgres_line.ask", asking_at(postgres_server.port))
        session.execute(text("SELECT 2"))
    database.dispose()
    hole.end()


def asking_at(port: int) -> Callable[..., object]:
    from wetread.store.core.postgres_line import ask

    class There:
        host, hostaddr = b"127.0.0.1", b"127.0.0.1"

        def __init__(self, pid: int) -> None:
            self.backend_pid = pid
            self.port = str(port).encode()

    return lambda params, pgconn: ask(params, There(pgconn.backend_pid))  # type: ignore[arg-type]  # all that it looks at


def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_url)
    short = limits.WaitLimits(statement=0.3, lock=0.2)
    with pytest.raises(ServiceUnavailable, match="statement timeout"), database.writing(short) as session:
        session.execute(text("SELECT pg_sleep(20)"))
    with database.writing() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(ServiceUnavailable, match="lock timeout"), database.writing(short) as session:
            session.execute(text("SELECT pg_advisory_xact_lock(1)"))
    database.dispose()


def test_one_connection_keeps_nothing_of_a_transaction_for_the_next(postgres_url: str) -> None:
    database = Database(postgres_url, by_index=True)

    def settings() -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "enable_seqscan")
        return [str(session.scalar(text(f"SHOW {name}"))) for name in names]

    with database.reading() as session:
        assert settings() == ["1h", "5min", "0", "off"]
    with database.writing() as session:
        assert settings() == ["10min", "5min", "30s", "off"]
    with database.writing(limits.LONG) as session:
        assert settings() == ["1d", "1h", "30s", "off"]
    database.dispose()
    bare = Database(postgres_url)
    with bare._engine.raw_connection().driver_connection.cursor() as cursor:  # type: ignore[union-attr]  # it is open
        assert cursor.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert cursor.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
    bare.dispose()


@pytest.mark.parametrize("statement", ["SELECT 2 FROM pg_sleep(20)", "nothing"], ids=["it works", "it is stopped"])
def test_ctrl_c_is_heard_within_a_second(statement: str, own_server: PostgresServer) -> None:
    server = own_server
    database = Database(server.url)
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    sent: list[float] = []

    def press() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.5, press)
    with suppress(KeyboardInterrupt):
        if statement == "nothing":
            with stopped(server):
                timer.start()
                with database.reading() as session:
                    session.execute(text("SELECT 1"))
        else:
            timer.start()
            with database.reading() as session:
                session.execute(text(statement))
    assert sent and time.monotonic() - sent[0] < 1.5, "a second, and half of one for a loaded machine"
    with database.reading() as session:
        working = session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT 2 FROM pg_sl%'"))
    assert working == 0, "the server was told"
    database.dispose()


class TaskTooLong(Exception):
    """As Celery's soft time limit is one: raised in a signal's handler, wherever the process stands."""


def test_a_time_limit_in_the_middle_of_a_statement_leaves_none_under_way(
    own_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(own_server.url)

    def too_long(*_: object) -> None:
        raise TaskTooLong

    before = signal.signal(signal.SIGUSR2, too_long)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR2))
    try:
        with pytest.raises(TaskTooLong), database.writing() as session:
            session.execute(text("SELECT 1"))
            timer.start()
            session.execute(text("SELECT 3 FROM pg_sleep(20)"))
    finally:
        timer.join()
        signal.signal(signal.SIGUSR2, before)
    with database.reading() as session:
        working = session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT 3 FROM pg_sl%'"))
    assert working == 0, "the server was told"
    assert "in progress" not in caplog.text
    database.dispose()


def test_the_tab_key_waits_for_no_server_that_is_stopped(postgres_server: PostgresServer) -> None:
    server, hole = postgres_server, Hole(postgres_server.port)
    hole.close_over()
    began = time.monotonic()
    assert list(Names(server.url.replace(f":{server.port}/", f":{hole.port}/")).schedules()) == []
    assert time.monotonic() - began < 4
    hole.end()


def test_whoever_waits_for_a_run_waits_for_its_database_too(
    quick: None, own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(own_server.create_database("watched"))
    ensure_schema(database)
    kit = RunKit(database)
    run, recorded = kit.filled([b"a.png"])
    looks, seen = [], threading.Event()

    def progress(_self: object, account: RunAccount) -> None:
        looks.append(account.state)
        seen.set()

    monkeypatch.setattr(RunProgress, "__call__", progress)
    ended: list[int] = []
    waiting = threading.Thread(target=lambda: ended.append(_wait(database, run, threading.Event())))
    waiting.start()
    assert seen.wait(20)
    with stopped(own_server):
        eventually(lambda: "waiting up to" in capsys.readouterr().out, what="that it says so")
    kit.settle_all(recorded)
    waiting.join(30)
    assert ended == [run]
    assert looks[-1] == RunState.FINISHED
    database.dispose()
