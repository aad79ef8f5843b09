"""wetread as a person runs it: a program with a home of its own."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.forking.launching import forked_command
from tests.tiny_model import publish_tiny_model
from trainer.phantoms.archive import PhantomFilm, draw_archive

REPOSITORY = Path(__file__).parent.parent


@dataclass
class Program:
    """Runs `wetread` with settings of its own; `environment` is added to the process's.

    patience: seconds that a command may take. launcher: a command that starts it, such as unshare with its options.
    """

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 120.0
    launcher: tuple[str, ...] = ()

    def command(self, *arguments: object) -> list[str]:
        return [*self.launcher, sys.executable, "-m", "cli", *map(str, arguments)]

    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WETREAD_")}
        own = {"WETREAD_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
        return kept | own | self.environment

    def run(
        self, *arguments: object, timeout: float | None = None, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in a process of its own that was forked where that is the same and quicker.

        given: what its standard input holds; else that of the tests.
        """
        env = self.env()
        forked = None if self.launcher else forked_command(env)
        return subprocess.run(
            [*forked, *map(str, arguments)] if forked else self.command(*arguments),
            env=env, input=given, capture_output=True, text=True, timeout=timeout or self.patience, check=False,
        )  # fmt: skip

    def json(self, *arguments: object, code: int = 0) -> Any:
        ended = self.run(*arguments, "--json")
        assert ended.returncode == code, ended.stderr
        return json.loads(ended.stdout)

    def lines(self, *arguments: object) -> list[Any]:
        ended = self.run(*arguments, "--format", "jsonl", "--limit", "0")
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.split("\n") if line]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Ask its SQLite database."""
        with closing(sqlite3.connect(self.home / "results.db")) as connection:
            return connection.execute(query).fetchall()

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start it in a process group of its own, so that a test can signal the whole."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip


def with_model(home: Path, *, patience: float = 120.0, **environment: str) -> Program:
    """Return a program whose production model is a tiny one."""
    program = Program(home, environment, patience)
    publish_tiny_model(program.environment.get("WETREAD_DATABASE_URL"), home)
    return program


def films(directory: Path, patients: int = 12, seed: int = 1) -> tuple[PhantomFilm, ...]:
    """Draw a small archive of phantoms, one film a patient; one that was drawn before is copied, which is quicker."""
    before, drawn = _drawn(patients, seed)
    shutil.copytree(before, directory, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return drawn


@cache
def _drawn(patients: int, seed: int) -> tuple[Path, tuple[PhantomFilm, ...]]:
    folder = Path(tempfile.mkdtemp(prefix="wetread-drawn-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder, draw_archive(folder, patients=patients, seed=seed, images_per_patient=(1, 1))


def eventually(condition: Callable[[], object], *, seconds: float = 60.0, what: str = "the condition") -> None:
    """Wait until `condition` holds, up to a limit."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true within {seconds:g} s"
        time.sleep(0.02)


def kill_group(process: subprocess.Popen[str]) -> None:
    """kill -9 of a program with all its processes, and wait for its end."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
