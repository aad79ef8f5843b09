"""The worker processes of a program: which they are, which are busy, and how soon one that was killed is replaced."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing, suppress
from typing import Self

import psutil

from tests.chaos.accounting import ask
from tests.program import Program, eventually


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the living worker processes of a `screen` or a `worker`: those that are theirs, and no helpers."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children()
        return [child for child in family if "spawn_main" in _command(child) and _lives(child)]
    return []


def _command(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return " ".join(process.cmdline())
    return ""


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def kill_one_and_wait(process: subprocess.Popen[str], victim: psutil.Process, strength: int, seconds: float) -> float:
    """kill -9 of one of a program's worker processes; return the seconds until it had `strength` of them again."""
    began = time.monotonic()
    victim.kill()
    eventually(
        lambda: (
            process.poll() is not None or sum(1 for child in children(process) if child.pid != victim.pid) >= strength
        ),
        seconds=seconds,
        what="the pool's strength",
    )
    return time.monotonic() - began


def holders(program: Program) -> set[int]:
    """Return the process ids of the workers that hold a batch now."""
    return {
        int(str(owner).split(":")[1]) for (owner,) in ask(program, "SELECT owner FROM batches WHERE owner IS NOT NULL")
    }


def stand_still(program: Program, process: subprocess.Popen[str]) -> None:
    """Stop an embedded program, that alone works, at a moment at which it holds a batch and not the database's lock."""

    def stopped() -> bool:
        os.killpg(process.pid, signal.SIGSTOP)
        if has_tables(program) and holders(program) and _may_write(program):
            return True
        os.killpg(process.pid, signal.SIGCONT)
        return False

    eventually(stopped, what="a batch in hand")


def go_on(process: subprocess.Popen[str]) -> None:
    """Let a stopped program go on."""
    os.killpg(process.pid, signal.SIGCONT)


def _may_write(program: Program) -> bool:
    with closing(sqlite3.connect(program.home / "results.db", timeout=0.2)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.rollback()
        return True


def sleeps(process: psutil.Process) -> int:
    """Return how often a process went to sleep by itself since its start; 0 when it is gone."""
    with suppress(psutil.NoSuchProcess):
        return int(process.num_ctx_switches().voluntary)
    return 0


def has_tables(program: Program) -> bool:
    """Return whether an embedded program has made its database yet."""
    if not (program.home / "results.db").exists():
        return False
    return bool(ask(program, "SELECT 1 FROM sqlite_master WHERE name = 'batches'"))


class Strength:
    """Watches how long a program has less than `full` worker processes, from its first full strength on."""

    def __init__(self, process: subprocess.Popen[str], full: int) -> None:
        self.process = process
        self.longest = 0.0
        """The longest time in seconds."""
        self._full = full
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last = None
        while not self._ended.wait(0.05) and self.process.poll() is None:
            if len(children(self.process)) >= self._full:
                now = time.monotonic()
                self.longest = max(self.longest, now - (last or now))
                last = now
