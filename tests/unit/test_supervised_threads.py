"""A long-running process that lost a thread, or stands still, ends with a code; systemd hears what it is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
import structlog

from schemas.errors import EXIT_BROKEN, ServiceUnavailable
from wetread.liveness import SignFile
from wetread.logs import set_up_logs
from wetread.supervised_threads import LastingThread, say_missed


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


URL = "sqlite:///results.db"


def test_a_process_ends_with_a_code_when_a_thread_of_it_dies() -> None:
    program = (
        "import time; from wetread.supervised_threads import LastingThread\n"
        "from wetread.logs import set_up_logs; set_up_logs()\n"
        "LastingThread(lambda: open('/archive/MUELLER^HANS.dcm'), 'sweep').start(); time.sleep(60)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert ended.returncode == EXIT_BROKEN
    said = json.loads(ended.stderr.splitlines()[-1])
    assert (said["thread"], said["level"], said["why"]) == ("sweep", "critical", "FileNotFoundError")
    assert "MUELLER" not in ended.stderr, "what a library quotes may be a path"


def test_a_thread_that_comes_to_its_end_ends_nothing() -> None:
    ended: list[int] = []
    thread = LastingThread(lambda: None, "sweep", ended.append)
    thread.start()
    thread.join(10)
    assert ended == []


def test_a_process_that_does_not_go_round_any_more_ends() -> None:
    ended, over = [], threading.Event()

    def ends(code: int) -> None:
        ended.append(code)
        over.set()

    signs = SignFile("worker", URL, longest=0.4, ends=ends)
    for _ in range(8):
        signs.touch()
        assert not over.wait(0.1)
    assert over.wait(10), "no sign came any more"
    assert ended == [EXIT_BROKEN]


def test_a_process_that_ended_in_order_is_not_waited_for() -> None:
    ended: list[int] = []
    signs = SignFile("beat", URL, longest=0.2, ends=ended.append)
    signs.touch()
    signs.remove()
    assert signs._watch is not None
    signs._watch.join(10)
    assert ended == []


@pytest.mark.parametrize("abstract", [False, True], ids=["a file", "an abstract name"])
def test_systemd_hears_that_a_process_is_ready_and_lives(
    abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"@wetread-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0"))
        systemd.settimeout(5.0)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        signs = SignFile("worker", URL)
        signs.touch()
        signs.touch()
        signs.remove()
        heard = [systemd.recv(100).decode() for _ in range(4)]
    assert heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]
    signs.touch()  # to nobody


def test_an_error_of_ours_is_said_in_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs()
    say_missed("a sweep was missed", ServiceUnavailable("expected a database"), schedule=3)
    said = json.loads(capsys.readouterr().err)
    assert (said["why"], said["schedule"], said["level"]) == ("expected a database", 3, "warning")
    structlog.reset_defaults()
