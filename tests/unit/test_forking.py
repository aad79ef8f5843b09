"""A program that tests fork from a server is a program of its own: its end, streams, folder, environment, signals."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.forking.launching import forked_command
from tests.program import Program, eventually, with_model


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


def test_it_says_and_ends_as_a_fresh_one(program: Program) -> None:
    for words in (["nonsense"], ["results", "list"], ["health", "database"]):
        fresh = subprocess.run(program.command(*words), env=program.env(), capture_output=True, text=True, check=False)
        forked = program.run(*words)
        assert "client.py" in str(forked.args), "it was forked"
        assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


def test_it_has_the_folder_and_the_settings_of_its_own(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program.environment["WETREAD_LEASE_SECONDS"] = "soon"
    assert "WETREAD_LEASE_SECONDS" in program.run("results", "list").stderr
    del program.environment["WETREAD_LEASE_SECONDS"]
    assert "'here'" in program.run("screen", "here").stderr
    (tmp_path / "here").mkdir()
    assert "'here'" not in program.run("screen", "here").stderr


def test_what_a_library_has_put_into_the_environment_of_the_tests_is_there_too(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    forked = program.run("nonsense")
    assert "client.py" in str(forked.args) and forked.returncode == 2


@pytest.mark.parametrize("variable", ["PYTHONIOENCODING", "TZ", "LC_ALL", "OPENBLAS_NUM_THREADS"])
def test_what_python_reads_at_its_start_has_a_fresh_one(program: Program, variable: str) -> None:
    assert forked_command(program.env()) is not None
    program.environment[variable] = "2"
    assert forked_command(program.env()) is None


def test_a_signal_that_ends_it_and_a_limit_that_it_breaks_are_seen(tmp_path: Path) -> None:
    program = with_model(tmp_path / "home")
    command = forked_command(program.env())
    assert command is not None
    waiting = [*command, "readers", "add", "roe", "--password-stdin"]
    for how in (signal.SIGKILL, signal.SIGTERM):
        before = _programs()
        with subprocess.Popen(waiting, env=program.env(), stdin=subprocess.PIPE) as client:
            eventually(lambda: len(_programs() - before) == 1, what="the program")  # noqa: B023 - called here
            (forked,) = _programs() - before
            forked.send_signal(how)
            assert client.wait(60) == -how
    before = _programs()
    with _silent() as nothing, pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(waiting, env=program.env(), stdin=nothing, timeout=3, check=False)
    eventually(lambda: not _programs() - before, what="its end with the client's")


def _programs() -> set[psutil.Process]:
    """Return what is forked at the moment: the servers' grandchildren."""
    servers = [one for one in psutil.Process().children() if "tests.forking.server" in one.cmdline()]
    found: set[psutil.Process] = set()
    for waiting in [child for server in servers for child in server.children()]:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            found |= set(waiting.children())
    return found


@contextmanager
def _silent() -> Iterator[int]:
    """Give a stream that stays open and says nothing."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)
