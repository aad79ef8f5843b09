"""Films are read in processes with limits of memory and time, never in the one that serves the pages."""

from __future__ import annotations

import base64
import json
import os
import queue
import selectors
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from schemas.errors import ServiceUnavailable
from schemas.films import Accepted
from wetread.settings import Settings

PROCESSES = 2
WAIT_SECONDS = 60.0
KEPT_THUMBS = 2_000
_MOUTHFUL = 2**20
_HEAD_BYTES = 2**16
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class FilmPlace:
    """Where a film lies: its root as this machine sees it, its path below, and the words its run has read anyway."""

    root: bytes
    path: bytes
    accepted: Accepted


@dataclass(frozen=True, slots=True)
class FilmToShow:
    """What a film's process answered: facts, and a picture. fault: why there is none."""

    facts: Mapping[str, Any]
    data: bytes

    @property
    def fault(self) -> str | None:
        """Return why there is no picture."""
        return self.facts.get("fault")


class FilmReader:
    """Asks processes of its own for pictures. One that hangs or dies is replaced, and the film is said to be at fault.

    Raises ServiceUnavailable from its methods where all processes are busy for WAIT_SECONDS.
    """

    def __init__(self, settings: Settings, processes: int = PROCESSES) -> None:
        self._settings = settings
        self._free: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._all = [_Process(settings.memory_bytes) for _ in range(processes)]
        for process in self._all:
            self._free.put(process)
        self._thumbs: OrderedDict[tuple[str, Accepted], FilmToShow] = OrderedDict()
        self._lock = Lock()

    def film(self, place: FilmPlace) -> FilmToShow:
        """Return the whole film: 16-bit values, little-endian, by gzip."""
        return self._ask(place, "film", {})

    def thumb(self, place: FilmPlace, sha256: str | None) -> FilmToShow:
        """Return a small PNG of the bytes that were read, by their SHA-256, from memory where it was made before.

        A file that holds others by now is at fault: its picture would stand beside a reading of another one.
        """
        key = (sha256 or "", place.accepted)
        with self._lock:
            if sha256 is not None and (kept := self._thumbs.get(key)) is not None:
                self._thumbs.move_to_end(key)
                return kept
        made = self._ask(place, "thumb", {})
        if made.fault is not None or sha256 is None:
            return made
        if made.facts["sha256"] != sha256:
            return FilmToShow({"fault": "the file has changed since it was read; screen it again"}, b"")
        with self._lock:
            self._thumbs[key] = made
            while len(self._thumbs) > KEPT_THUMBS:
                self._thumbs.popitem(last=False)
        return made

    def as_read(self, place: FilmPlace, preprocess: Mapping[str, Any], directory: str, digest: str) -> FilmToShow:
        """Return a PNG of the film as this record of a model has it, whose files lie in `directory`."""
        return self._ask(place, "as_read", {"preprocess": preprocess, "directory": directory, "digest": digest})

    def where_it_looks(
        self, place: FilmPlace, directory: str, digest: str, label: str, refused: Collection[str]
    ) -> FilmToShow:
        """Return a PNG to lay over the film: what speaks for `label`, by the model whose files lie in `directory`.

        By the first method that there is for its network and that is not refused.
        """
        more = {"directory": directory, "digest": digest, "label": label, "refused": sorted(refused)}
        return self._ask(place, "map", more)

    def close(self) -> None:
        """End the processes."""
        for process in self._all:
            process.end()

    def _ask(self, place: FilmPlace, what: str, more: Mapping[str, Any]) -> FilmToShow:
        order = {
            "what": what, "root": base64.b64encode(place.root).decode(), "path": base64.b64encode(place.path).decode(),
            "file_bytes": self._settings.file_bytes, "accepted": place.accepted.to_json(), **more,
        }  # fmt: skip
        try:
            process = self._free.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            raise ServiceUnavailable("all processes that read films are busy; try again") from None
        try:
            return process.ask(order, self._settings.image_seconds)
        finally:
            self._free.put(process)


class _Process:
    """One process, started when it is first needed, and again after its end."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory = memory_bytes
        self._running: subprocess.Popen[bytes] | None = None

    def ask(self, order: Mapping[str, Any], seconds: float) -> FilmToShow:
        running = self._started()
        end = time.monotonic() + seconds
        try:
            assert running.stdin is not None and running.stdout is not None  # noqa: S101 - it was started with both
            running.stdin.write(json.dumps(order).encode() + b"\n")
            running.stdin.flush()
            head, rest = self._line(running, end)
            facts = json.loads(head)
            while len(rest) < facts["bytes"]:
                rest += self._some(running, end)
            return FilmToShow(facts, bytes(rest))
        except TimeoutError:
            self.end()
            return FilmToShow({"fault": f"it was not read within {seconds:g} s"}, b"")
        except (OSError, EOFError, ValueError):
            self.end()
            return FilmToShow(
                {"fault": "the process that read it died: it needs too much memory, or breaks its decoder"}, b""
            )

    def end(self) -> None:
        if (running := self._running) is not None:
            self._running = None
            running.kill()
            running.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._running is None or self._running.poll() is not None:
            self.end()
            own = {name: value for name, value in os.environ.items() if name in _INHERITED}
            command = [sys.executable, "-m", "web.film_child", str(self._memory)]
            self._running = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                env=own | {"OPENBLAS_NUM_THREADS": "1"}, start_new_session=True,
            )  # fmt: skip
        return self._running

    def _line(self, running: subprocess.Popen[bytes], end: float) -> tuple[bytes, bytearray]:
        found = bytearray()
        while b"\n" not in found:
            if len(found) > _HEAD_BYTES:
                raise EOFError
            found += self._some(running, end)
        head, _, rest = bytes(found).partition(b"\n")
        return head, bytearray(rest)

    def _some(self, running: subprocess.Popen[bytes], end: float) -> bytes:
        assert running.stdout is not None  # noqa: S101 - it was started with one
        with selectors.DefaultSelector() as selector:
            selector.register(running.stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, end - time.monotonic())):
                raise TimeoutError
        some = os.read(running.stdout.fileno(), _MOUTHFUL)
        if not some:
            raise EOFError
        return some
