"""A service that hangs instead of refusing: each command ends in the time that docs/operations.md states."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.hanging import among_silent_name_servers, dropping_port, silent_port, stopped
from tests.program import Program, eventually, films, kill_group, with_model
from tests.servers.redis_server import RedisServer
from tests.services import PostgresServer

ASKS = ("status", "runs list", "results list", "errors list", "models list", "schedule list", "report")
STARTS = ("worker", "beat", "submit DIR", "screen DIR", "watch DIR")

SECONDS = dict.fromkeys((*ASKS, *STARTS), 10.0) | dict.fromkeys(
    ("doctor --json", "health broker", "health database"), 6.0
)
"""What each may wait for one service in all, as the docs say."""

WELL = "health database"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films") / "archive"
    films(folder, patients=3)
    return folder


@pytest.fixture
def hanging() -> Iterator[ExitStack]:
    with ExitStack() as services:
        yield services


def database_at(port: int, options: str = "") -> dict[str, str]:
    return {"WETREAD_DATABASE_URL": f"postgresql+psycopg://somebody@127.0.0.1:{port}/wetread{options}"}


def broker_at(port: int) -> dict[str, str]:
    return {"WETREAD_BROKER_URL": f"redis://127.0.0.1:{port}/0"}


def ended_in_time(
    program: Callable[[], Program], archive: Path, *commands: str
) -> dict[str, subprocess.CompletedProcess[str]]:
    """Return how commands ended that were run side by side; each had the time that is stated for it.

    To that is added what starting takes on cores that are so busy, which a command that waits for nobody tells.
    """

    def ended(one: Program, command: str) -> tuple[float, subprocess.CompletedProcess[str]]:
        began = time.monotonic()
        done = one.run(*command.replace("DIR", str(archive)).split())
        return time.monotonic() - began, done

    programs = [program() for _ in commands]
    well = Program(programs[0].home, launcher=programs[0].launcher)
    with ThreadPoolExecutor(len(commands) + 1) as threads:
        starting = threads.submit(ended, well, WELL)
        asked = [threads.submit(ended, *each) for each in zip(programs, commands, strict=True)]
    busy = starting.result()[0]
    for command, one in zip(commands, asked, strict=True):
        seconds, done = one.result()
        assert seconds < SECONDS[command] + 4.0 + 4 * busy, (command, seconds, busy, done.stderr)
        assert "Traceback" not in done.stderr
        assert done.returncode == (1 if command.startswith("doctor") else 4), (command, done)
    return {command: one.result()[1] for command, one in zip(commands, asked, strict=True)}


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Callable[[], Program]]:
    """What gives, of settings, programs with homes of their own, and a model where they keep their own database."""
    number = iter(range(1000))

    def with_settings(launcher: tuple[str, ...] = (), **environment: str) -> Callable[[], Program]:
        def make() -> Program:
            home = tmp_path / f"home{next(number)}"
            made = with_model(home)
            made.environment |= environment
            made.launcher = launcher
            return made

        return make

    return with_settings


def test_a_broker_that_says_nothing(
    hanging: ExitStack, program: Callable[..., Callable[[], Program]], archive: Path
) -> None:
    service = program(**broker_at(hanging.enter_context(silent_port())))
    ended = ended_in_time(service, archive, "health broker", "doctor --json", *STARTS)
    (broker,) = [one for one in json.loads(ended["doctor --json"].stdout) if one["what"] == "broker"]
    assert broker["state"] == "fault"
    assert "answer" in broker["found"]
    assert "is recorded" in ended["submit DIR"].stderr
    for command in STARTS:
        assert "hangs" in ended[command].stderr


def test_a_database_that_says_nothing(
    hanging: ExitStack, program: Callable[..., Callable[[], Program]], archive: Path
) -> None:
    port = hanging.enter_context(silent_port())
    service = program(**database_at(port), WETREAD_BROKER_URL=f"redis://127.0.0.1:{port}/0")
    ended = ended_in_time(service, archive, "health database", "doctor --json", *ASKS, *STARTS)
    states = {one["what"]: one["state"] for one in json.loads(ended["doctor --json"].stdout)}
    assert (states["database"], states["broker"]) == ("fault", "fault")
    for command in (*ASKS, *STARTS):
        assert "WETREAD_DATABASE_URL" in ended[command].stderr, command


def test_services_whose_packets_are_dropped_and_tls_where_none_is_spoken(
    hanging: ExitStack, program: Callable[..., Callable[[], Program]], archive: Path, redis_url: str
) -> None:
    dropping, silent = (hanging.enter_context(one()) for one in (dropping_port, silent_port))
    ended_in_time(program(**broker_at(dropping)), archive, "health broker", "worker")
    ended_in_time(program(**database_at(dropping)), archive, "health database", "status", "screen DIR")
    ended_in_time(program(**database_at(silent, "?sslmode=require")), archive, "status")
    plain = program(WETREAD_BROKER_URL=redis_url.replace("redis://", "rediss://"))
    for done in ended_in_time(plain, archive, "health broker", "worker", "submit DIR").values():
        assert "TLS" in done.stderr


def test_servers_that_are_stopped(
    program: Callable[..., Callable[[], Program]],
    archive: Path,
    start_redis: Callable[[], RedisServer],
    start_postgres: Callable[[], PostgresServer],
) -> None:
    broker, database = start_redis(), start_postgres()
    url = database.create_database("wetread")
    with stopped(broker, database):
        ended_in_time(program(WETREAD_BROKER_URL=broker.url), archive, "health broker", "worker")
        ended_in_time(program(WETREAD_DATABASE_URL=url), archive, "health database", "status", "beat")


def test_name_servers_that_do_not_answer(
    program: Callable[..., Callable[[], Program]], archive: Path, tmp_path: Path
) -> None:
    launcher = among_silent_name_servers(tmp_path)
    database = program(launcher, WETREAD_DATABASE_URL="postgresql+psycopg://somebody@db.example/wetread")
    broker = program(launcher, WETREAD_BROKER_URL="redis://broker.example:6379/0")
    for ended in (
        ended_in_time(database, archive, "status", "screen DIR", "beat"),
        ended_in_time(broker, archive, "worker", "submit DIR"),
    ):
        for command, done in ended.items():
            assert "was not resolved within 5 s" in done.stderr, (command, done.stderr)


@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("service", ["broker", "database"])
def test_ctrl_c_ends_whatever_hangs(
    hanging: ExitStack, program: Callable[..., Callable[[], Program]], archive: Path, service: str, presses: int
) -> None:
    port = hanging.enter_context(silent_port())
    at = broker_at if service == "broker" else database_at
    asks = ["health broker"] if service == "broker" else ["health database", "status", "results list"]
    orders = [f"submit {archive}", f"screen {archive}", "worker", "beat"]

    def ended(one: Program, command: str) -> tuple[float, int, str]:
        process = one.start(*command.split())
        try:
            eventually(lambda: connected(process.pid, port), what=f"that {command} connects")
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            if presses == 2:
                time.sleep(1.2)
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
            return time.monotonic() - began, process.returncode, said
        finally:
            if process.poll() is None:
                kill_group(process)

    make = program(**at(port))
    programs = [make() for _ in (*asks, *orders)]
    with ThreadPoolExecutor() as threads:
        done = {
            command: threads.submit(ended, *each, command)
            for command, *each in zip((*asks, *orders), programs, strict=True)
        }
    for command, answer in done.items():
        seconds, code, said = answer.result()
        assert code in ((0, 130, -signal.SIGINT) if command == "beat" else (130,)), (command, code, said)
        assert seconds < 8.0, (command, seconds, said)  # screen and submit alone would wait a minute
        assert "Traceback" not in said, (command, said)


def connected(pid: int, port: int) -> bool:
    """Return whether the process has a connection to the port."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    return any(one.raddr and one.raddr.port == port for one in connections)


def test_a_process_that_is_told_to_end_before_it_can_hear_is_no_death(tmp_path: Path, archive: Path) -> None:
    """SIGTERM to the whole group, as systemd sends it, while the worker processes are being started."""
    program = with_model(tmp_path / "home")
    for delay in (0.8, 1.2, 1.6):
        process = program.start("screen", archive, "--force", "--workers", "4")
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert "a worker process died" not in said, said
