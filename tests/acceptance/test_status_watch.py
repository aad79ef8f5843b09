"""`status --watch` as a person sees it, on terminals of two sizes, and as a script does, without one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.program import Program, eventually, films, kill_group, with_model


class Terminal:
    """A program on a terminal of `columns` by `rows`, and what it has drawn."""

    def __init__(self, program: Program, columns: int, rows: int, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            env=program.env() | {"TERM": "xterm-256color"}, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.drawn = ""

    def read(self) -> str:
        while select.select([self.master], [], [], 0)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # its other end is closed
                break
            if not data:
                break
            self.drawn += data.decode(errors="replace")
        return self.drawn

    def last_page(self) -> list[str]:
        page = self.read().rpartition("wetread status ")[2]
        return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rstrip() for line in page.split("\n")]

    def shows(self, text: str) -> None:
        eventually(lambda: text in "\n".join(self.last_page()), what=f"a page with {text!r}")

    def ended(self) -> int:
        until = time.monotonic() + 30
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() < until, "it did not end"
            time.sleep(0.02)
        self.read()
        return int(self.process.returncode)


@contextmanager
def watching(program: Program, columns: int, rows: int, *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal(program, columns, rows, "status", "--watch", *arguments)
    try:
        yield terminal
    finally:
        if terminal.process.poll() is None:
            os.killpg(terminal.process.pid, signal.SIGKILL)
            terminal.process.wait()
        os.close(terminal.master)


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Six films and a text file, screened; the last test alone screens more."""
    folder = tmp_path_factory.mktemp("watched")
    films(folder / "archive", patients=6)
    program = with_model(folder / "home")
    program.json("screen", folder / "archive", "--workers", "1")
    return program


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_the_page_fits_shows_runs_and_what_failed_and_ends_by_q(screened: Program, columns: int, rows: int) -> None:
    with watching(screened, columns, rows) as terminal:
        terminal.shows("run 1 failed: 1 undecodable")
        terminal.shows("expected PNG, JPEG, TIFF or DICOM")
        page = terminal.last_page()
        assert len(page) <= rows
        assert max(map(len, page)) <= columns
        assert any(re.search(r"\b1 +finished\b.*\b7 +6 +1 +0 +0\b", line) for line in page), page
        assert "manifest" not in terminal.drawn, "no path"
        os.write(terminal.master, b"q")
        assert terminal.ended() == 0
        assert "\x1b[?1049l" in terminal.drawn, "the terminal is given back"
        assert "account" in terminal.drawn.rpartition("\x1b[?1049l")[2], "and the accounts stay on it"


def test_it_may_be_started_before_there_is_anything_to_watch(tmp_path: Path) -> None:
    with watching(with_model(tmp_path / "home"), 80, 24) as terminal:
        terminal.shows("none")
        os.write(terminal.master, b"q")
        assert terminal.ended() == 0


def test_ctrl_c_ends_it_with_130(screened: Program) -> None:
    with watching(screened, 80, 24) as terminal:
        terminal.shows("undecodable")
        os.write(terminal.master, b"\x03")
        assert terminal.ended() == 130
        assert "\x1b[?1049l" in terminal.drawn


def test_without_a_terminal_it_waits_for_the_run_and_prints_its_accounts(screened: Program) -> None:
    ended = screened.run("status", "--watch")
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[:2] == ["account\tvalue", "run\t1"]
    assert screened.json("status", "1", "--watch")["state"] == "finished"


def test_it_shows_the_batch_and_the_memory_of_a_process_at_work_and_ends_with_the_run_that_was_named(
    screened: Program, tmp_path: Path
) -> None:
    films(tmp_path / "more", patients=6, seed=2)
    slow = Program(screened.home, {"WETREAD_FAILPOINT": "read:hang"})
    screening = slow.start("screen", tmp_path / "more", "--workers", "1")
    try:
        eventually(lambda: screened.json("status")["run"] == 2, what="the second run")
        with watching(screened, 100, 30, "2") as terminal:
            eventually(
                lambda: any(re.search(r":\d+ +2 +\d+ .* reading +\d+ MiB", line) for line in terminal.last_page()),
                what="a process with run, batch, stage and memory",
            )
            kill_group(screening)
            assert screened.run("runs", "cancel", "2").returncode == 0
            assert terminal.ended() == 0
    finally:
        if screening.poll() is None:
            kill_group(screening)
