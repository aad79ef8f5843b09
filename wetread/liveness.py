"""Tells systemd and a health check on the machine that a long-running process is alive.

The check must not ask the database: an outage there would have every worker restarted, which mends nothing. The file
lies in the temporary directory, in a folder of the user's own, which no other user can have made. It says which process
wrote it, by which database it serves, and when, by a clock that only goes forward: a step of the machine's clock makes
nobody silent. Containers that share the folder do not take each other's processes for their own.

A process that does not go round any more ends itself: docker compose alone starts nothing again that is only unwell.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from schemas.errors import WetreadError
from wetread.process_identity import ProcessIdentity, this_process
from wetread.settings import safe_url
from wetread.supervised_threads import LastingThread
from wetread.systemd import ALIVE, READY, STOPPING, tell_systemd

STANDS_STILL_SECONDS = 600.0
"""A process that has not gone round for so long ends: ten times as long as one round takes that meets every limit."""


SQLITE = "sqlite:///"


class Silences(NamedTuple):
    """{pid: seconds since its last sign} of the processes that were asked for, and how many serve other databases."""

    of_this_database: dict[int, float]
    of_others: int


class SignFile:
    """The file of this process. kind: "worker" or "beat"; database: the URL of the one that it serves.

    longest: seconds from one sign to the next, STANDS_STILL_SECONDS by default, after which `ends` is called: it ends
    the process.
    """

    def __init__(
        self,
        kind: str,
        database: str,
        longest: float | None = None,
        ends: Callable[[int], Any] = os._exit,
    ) -> None:
        process = str(this_process())
        name = f"{kind}-{hashlib.sha256(process.encode()).hexdigest()[:16]}"
        self._path = _folder() / name
        self._new = self._path.with_name(f".{name}")
        self._says = {"process": process, "database": _digest(database)}
        self._longest = STANDS_STILL_SECONDS if longest is None else longest
        self._ends = ends
        self._signed_at = 0.0
        self._over = threading.Event()
        self._watch: threading.Thread | None = None

    def touch(self) -> None:
        """Say that this process goes round; a temporary directory that cannot be written is the check's to find."""
        self._signed_at = time.monotonic()
        with suppress(OSError):
            self._new.write_text(json.dumps(self._says | {"at": time.monotonic()}))
            self._new.replace(self._path)  # whoever reads it finds a whole one
        if self._watch is None:
            self._watch = LastingThread(self._end_when_silent, "signs", self._ends)
            self._watch.start()
            tell_systemd(READY)
        tell_systemd(ALIVE)

    def remove(self) -> None:
        """Say that this process ends in order."""
        self._over.set()
        tell_systemd(STOPPING)
        with suppress(OSError):
            self._path.unlink()

    def _end_when_silent(self) -> None:
        looked = time.monotonic()
        while not self._over.wait(self._longest / 20):
            now = time.monotonic()
            if now - looked > self._longest / 4:
                self._signed_at = now  # the whole process stood still, or its machine: it is to have its turn first
            looked = now
            if now - self._signed_at > self._longest:
                raise WetreadError(f"expected this process to go round, found that it has not for {self._longest:g} s")


def silences(kind: str, database: str) -> Silences:
    """Return how long each living process of this kind that serves `database` has been silent."""
    found, others, ours = dict[int, float](), 0, _digest(database)
    for file in _folder().glob(f"{kind}-*"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            says = json.loads(file.read_text())
            process = ProcessIdentity.parse(says["process"])
            if process is None or not process.may_be_of_this_place:
                continue
            if (
                process.has_ended or not process.number_is_taken
            ):  # killed, or its machine was: nobody else takes its sign away
                file.unlink()
            elif says["database"] == ours:
                found[process.pid] = max(0.0, time.monotonic() - says["at"])
            else:
                others += 1
    return Silences(found, others)


def _digest(database: str) -> str:
    """Return a database's URL as the files say it, without the password: a new one makes no other database."""
    if database.startswith(SQLITE):
        database = SQLITE + os.path.realpath(database.removeprefix(SQLITE))
    return hashlib.sha256(safe_url(database).encode()).hexdigest()[:16]


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"wetread-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise WetreadError(
            f"expected to write signs of life in {folder}, found: {error.strerror}; set TMPDIR to a directory that "
            "can be written"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise WetreadError(f"expected {folder} to be ours alone, found another's; remove it, or set TMPDIR")
    return folder
