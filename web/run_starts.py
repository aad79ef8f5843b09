"""A run that the HTTP API starts goes on here, after it was answered: one at a time, and interrupted with the room."""

from __future__ import annotations

import os
from functools import partial
from threading import Event, Lock, Thread

import structlog

from producer.time_limited_calls import answered
from schemas.errors import UsageError
from screening.doorbell import Doorbell
from screening.end_signals import AskedToEnd
from screening.order import RunOrder
from screening.run import Screening
from screening.shadow import chosen_models
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.results.known_values import known_roots


class RunStarts:
    """Starts runs of directories below roots that were screened before. Where there is a broker, workers read them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._asked, self._lock = Event(), Lock()
        self._going: tuple[Screening, Thread] | None = None

    @property
    def going(self) -> int | None:
        """Return the number of the run that is read or walked here; None where none is."""
        with self._lock:
            return self._going[0].opened.id if self._going is not None and self._going[1].is_alive() else None

    def start(self, directories: list[str], model: str, engine: str, *, force: bool, shadow: str | None) -> int:
        """Open a run, or the one that is unfinished, and have it go on; return its number.

        Raises UsageError for what `wetread screen` refuses, and for a directory below no root that is known.
        """
        self._check(directories)
        registry = Registry(self._database, self._settings.models_directory)
        broker = self._settings.broker
        log = structlog.get_logger()
        digest, beside = chosen_models(registry, model, shadow, engine, broker, lambda said: log.warning(said))
        order = RunOrder(
            directories, digest, engine, force, len(os.sched_getaffinity(0)), shadow_digest=beside,
            accepted=self._settings.accepted,
        )  # fmt: skip
        bell = None if broker is None else Doorbell(self._database, self._settings)
        with self._lock:
            if self._going is not None and self._going[1].is_alive():
                run = self._going[0].opened.id
                raise UsageError(f"expected no run going on here, found run {run}; wait, or cancel it")
            screening = Screening.open(self._database, self._settings, order, self._asked)
            number = screening.opened.id
            thread = Thread(target=self._go_on, args=(screening, bell), name=f"run-{number}")
            self._going = (screening, thread)
            thread.start()
        return number

    def close(self) -> None:
        """Interrupt the run that goes on here, and wait until its batches in hand are settled.

        One that was walked to its end is the workers' where there is a broker, and goes on.
        """
        self._asked.set()
        with self._lock:
            going = self._going
        if going is not None:
            screening, thread = going
            if thread.is_alive():
                screening.interrupt()
            thread.join()

    def _go_on(self, screening: Screening, bell: Doorbell | None) -> None:
        log = structlog.get_logger().bind(run=screening.opened.id)
        try:
            if bell is None:
                screening.read_here(lambda _: None)
            else:
                screening.see_to_the_walk(once=True)
                bell.ring()
        except AskedToEnd:
            log.warning("a run that was started here is interrupted with the room; the same order continues it")
        except Exception as error:  # noqa: BLE001 - its end is on the run; the room goes on
            log.error("a run that was started here failed", kind=type(error).__name__)

    def _check(self, directories: list[str]) -> None:
        with self._database.reading() as session:
            roots = [self._settings.local_root(root) for root in known_roots(session)]
        known = [self._resolved(root) for root in roots]
        for one in directories:
            path = self._resolved(os.fsencode(one)) if os.path.isabs(one) and "\0" not in one else b""
            if not os.path.isabs(one) or not any(path == root or path.startswith(root + b"/") for root in known):
                raise UsageError(
                    f"directories: expected absolute paths at or below a root that was screened before, found {one!r}; "
                    "the first time, `wetread screen DIR` makes a root known"
                )

    def _resolved(self, path: bytes) -> bytes:
        """Return a path with its links resolved; raise RootSilent where its file server does not answer."""
        resolved: bytes = answered(partial(os.path.realpath, path), self._settings.image_seconds)
        return resolved
