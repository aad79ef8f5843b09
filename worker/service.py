"""A long-running worker: Celery's pool, and beside it the sweep and a heartbeat."""

from __future__ import annotations

import os
import resource
import socket
import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import psutil
import structlog
from celery import Celery, signals

from schemas.errors import EXIT_INTERRUPTED, DatabaseReplaced, WetreadError
from wetread.liveness import SignFile
from wetread.logs import announce, say_everywhere, set_up_logs
from wetread.queue import make_app, queue_length
from wetread.settings import Settings, safe_url
from wetread.store.core.database import Database
from wetread.store.core.limits import SWEEPING
from wetread.store.core.migrating import ensure_schema
from wetread.store.work.workers import Heartbeat, WorkerKind, beat, forget_silent, leave
from wetread.supervised_threads import LastingThread, say_missed
from worker.child import limit_threads
from worker.consuming import PatientConsumer
from worker.dead_workers import forget_the_dead, free_what_the_dead_hold
from worker.deaf_restart import Hearing
from worker.failpoints import armed
from worker.identity import worker_id
from worker.malformed_messages import drop_what_is_no_message
from worker.memory import set_memory_for
from worker.metering import count_deaths, count_sweep
from worker.metrics_port import open_metrics

FILES, FILES_A_PROCESS = 32, 8
"""Files and connections that a worker opens, and those for each of its processes: a little more than was seen."""


def serve(settings: Settings, *, concurrency: int) -> int:
    """Serve batches from the broker until told to stop; return the exit code.

    Raises ServiceUnavailable when the database or the broker does not answer at the start. Later they are waited for.
    """
    _want_files(FILES + FILES_A_PROCESS * concurrency)
    armed()  # an unknown failpoint is refused here, not by each process of the pool
    say_everywhere(worker=worker_id())
    if settings.metrics_port is not None:  # first of all: who imports Prometheus's client before it counts alone
        open_metrics("worker", settings.metrics_host, settings.metrics_port)
    settings = set_memory_for(
        settings, concurrency
    )  # as the next is: the pool's processes take it from the environment
    limit_threads()  # inherited by the pool's processes, which import numpy; this one never does
    database = Database(settings.database, writes=SWEEPING)
    ensure_schema(database)
    drop_what_is_no_message()
    app = make_app(settings)
    queue_length(app, settings)
    hearing = Hearing(database, app, settings)
    minder = Minder(database, app, settings, concurrency, hearing, SignFile("worker", settings.database))
    # Weak references would let the bound methods go at once.
    signals.worker_ready.connect(hearing.hear_from_now, weak=False)
    signals.worker_ready.connect(partial(_say_ready, settings, concurrency), weak=False)
    signals.worker_shutting_down.connect(minder.stop, weak=False)
    ended_by: list[str] = []
    note_signal = partial(_note_signal, ended_by)
    signals.worker_shutting_down.connect(note_signal, weak=False)
    signals.task_received.connect(hearing.hear, weak=False)
    signals.setup_logging.connect(_keep_our_logs, weak=False)
    worker = app.Worker(
        hostname=f"wetread-{os.getpid()}@{socket.gethostname()}",
        concurrency=concurrency,
        pool_cls="prefork",
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
        consumer_cls=PatientConsumer,
    )
    # Not when Celery is ready, which takes a broker: signs of life depend on none.
    minder.start()
    worker.start()
    minder.stop()
    # Celery calls it a failure, with 1, as it does what went wrong.
    return EXIT_INTERRUPTED if "SIGINT" in ended_by else int(worker.exitcode or 0)


def _want_files(count: int) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit not in (resource.RLIM_INFINITY, -1) and limit < count:
        raise WetreadError(
            f"expected room for {count} open files, found a limit of {limit}; raise it: ulimit -n 1024, "
            "or LimitNOFILE=1024 in a systemd unit, or start fewer processes by --concurrency"
        )


def _say_ready(settings: Settings, concurrency: int, **_: Any) -> None:
    announce(
        "the worker is ready",
        processes=concurrency,
        database=safe_url(settings.database),
        broker=safe_url(settings.broker or ""),
        next="it waits for batches; SIGTERM ends it after those in hand",
    )


def _note_signal(ended_by: list[str], *, sig: str, **_: Any) -> None:
    ended_by.append(sig)


def _keep_our_logs(**_: Any) -> None:
    """Celery asks who sets up logging; that we answer at all has it leave ours as they are."""
    set_up_logs()


@dataclass(slots=True)
class Minder:
    """A thread that rings for what waits and says that this worker lives, every `sweep_seconds`."""

    database: Database
    app: Celery
    settings: Settings
    concurrency: int
    hearing: Hearing
    signs: SignFile | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = LastingThread(self._run, "sweep")
        self._thread.start()

    def stop(self, **_: Any) -> None:
        """End, and take this worker's name off the list."""
        if self.hearing.stopped.is_set() or self._thread is None:
            return
        self.hearing.stopped.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            if self.signs is not None:
                self.signs.touch()
            try:
                self._sweep()
                count_sweep(made=True)
            except DatabaseReplaced as error:
                structlog.get_logger().error("this worker restarts itself", why=str(error))
                self.hearing.restart()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next sweep may find it mended
                count_sweep(made=False)
                say_missed("a sweep was missed; the next one follows", error)
            if self.hearing.stopped.wait(self.settings.sweep_seconds):
                break
        if self.signs is not None:
            self.signs.remove()
        try:
            with self.database.writing() as session:
                leave(session, worker_id())
        except Exception as error:  # noqa: BLE001 - its row goes stale by itself
            say_missed("this worker was not taken off the list of the living", error)
        structlog.get_logger().info("the worker has ended")

    def _sweep(self) -> None:
        details = {
            "kind": WorkerKind.SERVICE,
            "every_seconds": self.settings.sweep_seconds,
            "concurrency": self.concurrency,
            "memory_bytes": int(psutil.Process().memory_info().rss),
        }
        with self.database.writing() as session:
            beat(session, Heartbeat(worker_id(), socket.gethostname()[:64], os.getpid(), details))
            forget_silent(session)
        free_what_the_dead_hold(self.database)
        count_deaths(forget_the_dead(self.database))
        self.hearing.look()
