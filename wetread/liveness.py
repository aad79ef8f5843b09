"""What a long-running process says as it goes round, so that a health check on its machine, or systemd, knows it lives.

The check must not ask the database: an outage there would have every worker restarted, which mends nothing. The file
lies in the temporary directory, in a folder of the user's own, which no other user can have made.

A process that does not go round any more ends itself: docker compose alone starts nothing again that is only unwell.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.errors import WetreadError
from wetread.lasting import LastingThread
from wetread.systemd import ALIVE, READY, STOPPING, tell_systemd

STANDS_STILL_SECONDS = 600.0
"""A process that has not gone round for so long ends: ten times as long as one round takes that meets every limit."""


class SignFile:
    """The file of this process. kind: "worker" or "beat".

    longest: seconds from one sign to the next, after which `ends` is called: it ends the process.
    """

    def __init__(self, kind: str, longest: float = STANDS_STILL_SECONDS, ends: Callable[[int], Any] = os._exit) -> None:
        self._path = _folder() / f"{kind}-{os.getpid()}"
        self._longest = longest
        self._ends = ends
        self._signed_at = 0.0
        self._over = threading.Event()
        self._watch: threading.Thread | None = None

    def touch(self) -> None:
        """Say that this process goes round; a temporary directory that cannot be written is the check's to find."""
        self._signed_at = time.monotonic()
        with suppress(OSError):
            self._path.touch()
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


def silences(kind: str) -> dict[int, float]:
    """Return {pid: seconds since its last sign} of the processes of this kind that exist here."""
    import psutil

    found = {}
    for file in _folder().glob(f"{kind}-*"):
        pid = file.name.partition("-")[2]
        with suppress(OSError, psutil.Error, ValueError):
            signed_at = file.stat().st_mtime
            process = psutil.Process(int(pid))
            # A process that began after the sign has the same number by chance.
            if process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= signed_at + 1.0:
                found[int(pid)] = max(0.0, time.time() - signed_at)
    return found


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
