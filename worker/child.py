"""One embedded worker process: started fresh, never forked; it loads the model itself and serves one run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from select import select as wait_to_write
from typing import TYPE_CHECKING

from schemas.errors import ServiceUnavailable, WetreadError
from wetread.logs import say_everywhere, set_up_logs
from wetread.settings import Settings
from worker.waiting import WORTH_WAITING, Patience, Waits

if TYPE_CHECKING:
    from wetread.store.work.leases import ClaimedItem
    from worker.batch import BatchWorker


ALIVE_SECONDS = 0.5
"""Seconds between two words to the parent that this process lives."""


@dataclass(frozen=True, slots=True)
class ChildTask:
    """What a child is told: the run to serve, its model, its settings, and (run, model digest) of its shadow."""

    run_id: int
    model_digest: str
    engine: str
    settings: Settings
    shadow: tuple[int, str] | None = None

    @property
    def run_ids(self) -> tuple[int, ...]:
        """Return the runs to serve, the one that comes first in front."""
        return (self.run_id,) if self.shadow is None else (self.run_id, self.shadow[0])


@dataclass(frozen=True, slots=True)
class Ready:
    """The child has loaded the model; `owner` is its id as a worker."""

    owner: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The child's threads run."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The child cannot serve; `message` is for people."""

    message: str
    exit_code: int


def serve_run(task: ChildTask, pipe: Connection) -> None:
    """Be an embedded worker: read batches of one run until none is left, or until SIGTERM.

    Ctrl-C reaches the whole process group; the parent decides what it means, so a child ignores it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    die_with_parent()
    limit_threads()
    set_up_logs()
    try:
        worker = _prepared(task, stop)
        pipe.send(Ready(worker.owner))
        say_everywhere(worker=worker.owner)
        with _signs(worker), _saying_alive(pipe):
            _serve(worker, task.run_ids, stop)
        if task.shadow is not None:  # what only the shadow read last is none of the run's time
            worker.stages.serve(task.run_id)
        with suppress(WetreadError):  # it is for people alone, and nothing fails for it
            worker.note_stages(task.run_id)
    except WetreadError as error:
        pipe.send(Failed(str(error), error.exit_code))
    pipe.close()  # a thread that hangs in a read may keep the process from ending: nothing is to be waited for


def limit_threads() -> None:
    """Give each library one thread, since processes use the cores, and the kernels that suit this processor.

    To be called before NumPy is imported. Kernels that the user has named stay.
    """
    from wetread.engine.blas import blas_environment

    for name, value in blas_environment(threads=1).items():
        if name.endswith("_NUM_THREADS") or name not in os.environ:
            os.environ[name] = value


def _prepared(task: ChildTask, stop: threading.Event) -> BatchWorker:
    """Return the worker; a database that is away just now is waited for."""
    patience = Patience()
    while True:
        try:
            return _prepare(task, stop)
        except ServiceUnavailable as error:
            patience.away(error)
            stop.wait(1.0)


def _prepare(task: ChildTask, stop: threading.Event) -> BatchWorker:
    from wetread.models.registry import Registry
    from wetread.store.core.database import Database
    from worker.batch import BatchWorker
    from worker.failpoints import armed
    from worker.identity import worker_id
    from worker.memory import bound_memory
    from worker.metering import count_stages
    from worker.models import ModelShelf

    armed()
    bound_memory(task.settings.memory_bytes)
    database = Database(task.settings.database, by_index=True)
    shelf = ModelShelf(Registry(database, task.settings.models_directory))
    shelf.take(task.model_digest, task.engine)
    if task.shadow is not None:
        shelf.take(task.shadow[1], task.engine)
    worker = BatchWorker(database, task.settings, shelf, worker_id(), stop=stop)
    worker.stages.listeners.append(count_stages)
    return worker


@contextmanager
def _signs(worker: BatchWorker) -> Iterator[None]:
    """Say what this process does until the block ends."""
    from worker.heartbeat import SignOfLife

    signs = SignOfLife(worker.database, worker.owner, worker.standing, in_doubt=worker.in_doubt)
    signs.start()
    try:
        yield
    finally:
        signs.stop()


@contextmanager
def _saying_alive(pipe: Connection) -> Iterator[None]:
    """Tell the parent that this process lives, until the block ends; not through the database, which may be away."""
    ended = threading.Event()

    def say() -> None:
        while not ended.wait(ALIVE_SECONDS):
            with suppress(OSError):  # the parent is gone, and so are we in a moment
                if wait_to_write([], [pipe], [], 0.0)[1]:  # full: the parent stands still, and hears it later
                    pipe.send(Alive())

    thread = threading.Thread(target=say, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _serve(worker: BatchWorker, run_ids: Sequence[int], stop: threading.Event) -> None:
    from worker.batch import Ending
    from worker.next_batch import NextBatch

    patience, waits, batches = Patience(), Waits(), NextBatch(worker.database, run_ids)

    def choose() -> Sequence[ClaimedItem]:
        return () if stop.is_set() else batches.choose()

    while not stop.is_set():
        try:
            batch_id, running = batches.take()
            if batch_id is None or worker.process_batch(batch_id, choose) == Ending.NOT_FREE:
                worker.files.forget()
            if batch_id is not None:
                waits.worked()
            elif not running:
                return
            else:
                stop.wait(waits.take())
            patience.back()
        except WORTH_WAITING as error:
            patience.away(error)
            stop.wait(1.0)


def die_with_parent() -> None:
    """End this process when its parent is gone, however it went: a child alone would work unseen."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent's end", daemon=True).start()
