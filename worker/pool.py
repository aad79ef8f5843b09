"""The embedded pool: starts, watches, replaces and ends the worker processes of one run.

No broker: each process leases batches from the database. A process that dies is known at once by its sentinel;
its batches are freed, its death is counted on them, and another takes its place.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import SpawnProcess

import structlog

from schemas.errors import MachineUnfit, ServiceUnavailable, WetreadError
from schemas.states import RunState
from wetread.store.core.database import Database
from wetread.store.runs.accounts import run_account, run_state
from wetread.store.work.doubts import disown_all
from wetread.store.work.leases import release_dead
from wetread.store.work.workers import forget_dead, leave
from worker.child import ChildTask, Failed, Ready, serve_run
from worker.cores import CoreShare
from worker.dead_workers import forget_the_dead, free_what_the_dead_hold
from worker.memory import oom_kills, with_memory_for
from worker.metering import count_deaths

DEATHS_BEFORE_READY = 3
"""Processes that may die in a row before one was ready; then the fault is the machine's, not a film's."""

DEATHS_WITHOUT_PROGRESS = 30
"""Processes that may die in a row without one image settled between: more than any film needs to be called dead."""

CLOSED_SECONDS = 2.0
"""Seconds that a process which has closed its pipe has to be gone; then a file server that hangs holds it."""

KILLED_SECONDS = 2.0
"""Seconds after which a process that was killed counts as held by the system: it waits for a file server that hangs."""

END_SECONDS = 35.0
"""Seconds that processes have to end their batch when asked to; then they are killed."""


STOOD_STILL_SECONDS = 2.0
"""Seconds between two looks after which we count as having stood still, or waited for the database."""


@dataclass(slots=True)
class _Child:
    process: SpawnProcess
    pipe: Connection
    owner: str | None = None
    ending: bool = False
    heard_at: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class EmbeddedPool:
    """Keeps `size` worker processes alive for a run; with a share of the cores, at most what that has room for."""

    database: Database
    task: ChildTask
    size: int
    share: CoreShare | None = None
    deaths: int = 0
    _children: list[_Child] = field(default_factory=list)
    _deaths_before_ready: int = 0
    _deaths_without_progress: int = 0
    _settled_at_last_death: int = -1
    _looked_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Free what workers that died here before still hold, and start the processes."""
        self.task = replace(self.task, settings=with_memory_for(self.task.settings, self.size))
        try:
            free_what_the_dead_hold(self.database)
            forget_the_dead(self.database)
        except ServiceUnavailable as error:
            structlog.get_logger().warning("what dead workers held was left to its lease", why=str(error))
        for _ in range(self._room()):
            self._children.append(self._spawn())

    @property
    def alive(self) -> int:
        """Return how many processes live."""
        return sum(1 for child in self._children if child.process.is_alive())

    def watch(self, seconds: float) -> None:
        """Wait up to `seconds` for news of the processes, and act on it: replace the dead, end those that hang.

        Raises the WetreadError that a process could not serve for, or one that says they die before they serve.
        """
        self._look_at_the_clock()
        sentinels = [child.process.sentinel for child in self._children if child.process.is_alive()]
        if sentinels:
            wait_for(sentinels, timeout=seconds)
        else:  # of nothing to wait for it would not wait
            time.sleep(seconds)
        for child in list(self._children):
            self._hear(child)
            if child.process.exitcode is not None:
                self._bury(child)
        self._fit()
        self._end_hanging()

    def stop(self) -> None:
        """Ask the processes to end their batch, wait, kill what is left, and free what that held."""
        for child in self._children:
            if child.process.is_alive():
                child.process.terminate()
        end = time.monotonic() + END_SECONDS
        for child in self._children:
            _wait_for_end(child, end)
            late = child.process.is_alive()
            if late:
                child.process.kill()
                _leave_behind(child.process)
            died = not late and child.process.exitcode != 0
            self._free_if_possible(child, self._free if died else self._give_back)
            child.pipe.close()
        self._children = []

    def _spawn(self) -> _Child:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=serve_run, args=(self.task, theirs), name="wetread worker")
        process.start()
        theirs.close()
        return _Child(process, ours)

    def _hear(self, child: _Child) -> None:
        try:
            while child.pipe.poll():
                said = child.pipe.recv()
                child.heard_at = time.monotonic()
                if isinstance(said, Ready):
                    child.owner = said.owner
                    self._deaths_before_ready = 0
                elif isinstance(said, Failed):
                    raise WorkerFailed(said)
        except (EOFError, OSError):
            return

    def _bury(self, child: _Child) -> None:
        """Deal with a process that has ended: in order, or by a death that is counted."""
        child.process.join()
        self._hear(child)  # what it said since we last listened
        if child.process.exitcode == 0 or (child.process.exitcode == -signal.SIGTERM and child.owner is None):
            # Also when someone ended it with SIGTERM: that is no death, and one that comes before the process can hear
            # it ends it as it ends any other. It held nothing yet.
            self._give_back(child)
            self._remove(child)
            return
        # The database is asked first: when it is away just now, the next look buries the process.
        self._free(child)
        with self.database.reading() as session:
            settled = sum(run_account(session, run_id).settled for run_id in self.task.run_ids)
        self._remove(child)
        self.deaths += 1
        count_deaths(1)
        structlog.get_logger().warning("a worker process died and is replaced", exit=child.process.exitcode)
        if child.owner is None:
            self._deaths_before_ready += 1
        without_progress = settled == self._settled_at_last_death
        self._deaths_without_progress = self._deaths_without_progress + 1 if without_progress else 1
        self._settled_at_last_death = settled
        if self._deaths_before_ready >= DEATHS_BEFORE_READY or self._deaths_without_progress >= DEATHS_WITHOUT_PROGRESS:
            raise MachineUnfit(
                f"expected worker processes that serve, found that they die, "
                f"the last with exit {child.process.exitcode}: no film is blamed. Run `wetread doctor`, and look for "
                "lack of memory. The same command goes on"
            )

    def _room(self) -> int:
        return self.size if self.share is None else min(self.size, self.share.room(len(self._children)))

    def _fit(self) -> None:
        """Have as many processes as there is room for, while the run goes on; those too many end their batch."""
        room = self._room()
        if len(self._children) < room and self._still_running():
            self._children += [self._spawn() for _ in range(room - len(self._children))]
        for child in self._children[room:]:
            if not child.ending:
                child.ending = True
                child.process.terminate()

    def _still_running(self) -> bool:
        with self.database.reading() as session:
            return any(run_state(session, run_id) == RunState.RUNNING for run_id in self.task.run_ids)

    def _remove(self, child: _Child) -> None:
        child.pipe.close()
        self._children.remove(child)

    def _free(self, child: _Child) -> None:
        if child.owner is not None:
            with self.database.writing() as session:
                release_dead(session, child.owner, oom_kills())
                forget_dead(session, [child.owner])

    def _give_back(self, child: _Child) -> None:
        """Free what a process still held that ended in order, or that we did not wait for: no film's fault."""
        if child.owner is not None:
            with self.database.writing() as session:
                disown_all(session, child.owner)
                leave(session, child.owner)

    def _free_if_possible(self, child: _Child, free: Callable[[_Child], None]) -> None:
        """Free at the end: without a database its leases run out by themselves, and the others are still to end."""
        try:
            free(child)
        except WetreadError as error:
            structlog.get_logger().warning("what a worker process held was left to its lease", why=str(error))

    def _end_hanging(self) -> None:
        """Kill processes of ours that said nothing for a lease: none of their threads runs.

        The database does not say that: a lease may run out because it was away, or by a step of its clock.
        """
        for child in self._children:
            self._hear(child)
            if child.owner is not None and self._looked_at - child.heard_at > self.task.settings.lease_seconds:
                child.process.kill()

    def _look_at_the_clock(self) -> None:
        """Note the time; where we stood still ourselves, what our processes said meanwhile proves nothing."""
        now = time.monotonic()
        if now - self._looked_at > STOOD_STILL_SECONDS:
            for child in self._children:
                child.heard_at = now
        self._looked_at = now


def _wait_for_end(child: _Child, until: float) -> None:
    """Wait for a process that was asked to end; once it has closed its pipe it has nothing left to do."""
    while child.process.is_alive() and time.monotonic() < until:
        if not wait_for([child.process.sentinel, child.pipe], timeout=max(0.0, until - time.monotonic())):
            return
        try:
            if child.pipe.poll():
                child.pipe.recv()
        except (EOFError, OSError):
            child.process.join(CLOSED_SECONDS)
            return


def _leave_behind(process: SpawnProcess) -> None:
    """Wait for the end of a process that was killed; one that the system holds ends when that lets it go."""
    process.join(KILLED_SECONDS)
    if process.is_alive():
        structlog.get_logger().error("a worker process was killed and does not end: a file server holds it")
        multiprocessing.process._children.discard(process)  # type: ignore[attr-defined]  # noqa: SLF001 - at its own end Python waits for those without any limit


class WorkerFailed(WetreadError):
    """A worker process could not serve, and said why."""

    def __init__(self, said: Failed) -> None:
        super().__init__(said.message)
        self.exit_code = said.exit_code
