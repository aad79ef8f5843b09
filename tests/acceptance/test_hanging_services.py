"""A service that takes the connection and never says a word: each command ends in its time, and at Ctrl-C at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import Program, films, kill_group, with_model

BUSY = 45.0
"""Seconds that a loaded machine may add: of starting Python, most of all."""


@dataclass
class Hanging:
    """A program whose broker is a port that never answers; `called` waits for somebody to connect."""

    program: Program
    listener: socket.socket

    @contextmanager
    def called(self) -> Iterator[None]:
        self.listener.settimeout(60)
        with self.listener.accept()[0]:
            yield


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    films(tmp_path / "archive", patients=3)
    return tmp_path / "archive"


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Callable[[int], Hanging]]:
    """Make a program of a number, whose broker hangs."""
    with ExitStack() as listeners:

        def make(number: int) -> Hanging:
            listener = listeners.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            listener.listen(8)
            url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
            return Hanging(with_model(tmp_path / f"home{number}", WETREAD_BROKER_URL=url), listener)

        yield make


def test_each_command_ends_by_itself_in_its_time(hanging: Callable[[int], Hanging], archive: Path) -> None:
    commands = {"health broker": 6.0, "doctor --json": 10.0, f"submit {archive}": 10.0, "worker": 10.0}

    def ended(service: Hanging, command: str) -> tuple[float, subprocess.CompletedProcess[str]]:
        began = time.monotonic()
        done = service.program.run(*command.split())
        return time.monotonic() - began, done

    services = [hanging(number) for number in range(len(commands))]
    with ThreadPoolExecutor() as threads:
        asked = {
            command: threads.submit(ended, *each, command) for command, *each in zip(commands, services, strict=True)
        }
    for command, answer in asked.items():
        seconds, done = answer.result()
        assert seconds < commands[command] + BUSY, command
        assert "Traceback" not in done.stderr
        if command.startswith("doctor"):
            assert done.returncode == 1
            (broker,) = [one for one in json.loads(done.stdout) if one["what"] == "broker"]
            assert broker["state"] == "fault"
            assert "answer" in broker["found"]
        else:
            assert done.returncode == 4, done.stderr
            assert "WETREAD" in done.stderr or "answer" in done.stderr
    assert "is recorded" in asked[f"submit {archive}"].result()[1].stderr


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_whatever_hangs(hanging: Callable[[int], Hanging], archive: Path, presses: int) -> None:
    commands = ["health broker", f"submit {archive}", f"screen {archive}", "worker", "beat"]

    def ended(service: Hanging, command: str) -> tuple[float, int, str]:
        process = service.program.start(*command.split())
        try:
            with service.called():
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

    services = [hanging(number) for number in range(len(commands))]
    with ThreadPoolExecutor() as threads:
        done = {
            command: threads.submit(ended, *each, command) for command, *each in zip(commands, services, strict=True)
        }
    for command, answer in done.items():
        seconds, code, said = answer.result()
        assert code in ((0, 130, -signal.SIGINT) if command == "beat" else (130,)), (command, code, said)
        assert seconds < 8.0, (command, seconds, said)  # screen and submit alone would wait a minute
        assert "Traceback" not in said, (command, said)


def test_a_process_that_is_told_to_end_before_it_can_hear_is_no_death(tmp_path: Path, archive: Path) -> None:
    """SIGTERM to the whole group, as systemd sends it, while the worker processes are being started."""
    program = with_model(tmp_path / "home")
    for delay in (0.8, 1.2, 1.6):
        process = program.start("screen", archive, "--force", "--workers", "4")
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert "a worker process died" not in said, said
