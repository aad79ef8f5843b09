"""What an embedded pool does with a process that has ended: in order, killed, or before it could serve."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import select

from schemas.errors import MachineUnfit
from schemas.states import RunState
from schemas.tables import Batch
from tests.migrated import copy_sqlite
from tests.screened import DIGEST, RunKit
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.runs.lifecycle import set_state
from worker import pool
from worker.child import ChildTask, Ready
from worker.pool import EmbeddedPool

OWNER = "w:1:1"


@dataclass
class Process:
    """A worker process of which a test says how it ends. exitcode: None while it lives."""

    exitcode: int | None = None
    ends_when_asked: bool = True
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sentinel, self.ended = Pipe(duplex=False)

    def is_alive(self) -> bool:
        return self.exitcode is None

    def end(self, code: int) -> None:
        if self.exitcode is None:
            self.exitcode = code
            self.ended.close()

    def terminate(self) -> None:
        self.asked.append("terminate")
        if self.ends_when_asked:
            self.end(0)

    def kill(self) -> None:
        self.asked.append("kill")
        self.end(-signal.SIGKILL)

    def join(self, timeout: float | None = None) -> None:
        pass


class Pool:
    """A pool over one run of one batch, whose processes are not real ones."""

    def __init__(self, kit: RunKit) -> None:
        self.kit, self.processes, self.pipes = kit, list[Process](), list[Connection]()
        self.run, recorded = kit.filled([b"a.png", b"b.png"])
        (self.batch,) = recorded.batch_ids
        self.pool = EmbeddedPool(kit.database, ChildTask(self.run, DIGEST, "numpy", Settings(lease_seconds=30)), 1)

    def spawn(self) -> pool._Child:
        ours, theirs = Pipe(duplex=False)
        self.processes.append(Process())
        self.pipes.append(theirs)
        return pool._Child(self.processes[-1], ours)  # type: ignore[arg-type]  # what stands for a process

    def serve(self) -> None:
        """Have the first process say that it is ready, and take the batch."""
        self.pipes[0].send(Ready(OWNER))
        self.pool.watch(0.0)
        assert self.kit.claim(self.batch, OWNER) is not None

    def held(self) -> tuple[str | None, int]:
        with self.kit.database.reading() as session:
            owner, kills = session.execute(select(Batch.owner, Batch.kills).where(Batch.id == self.batch)).one()
            return owner, kills


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[RunKit]:
    copy_sqlite(tmp_path / "results.db")
    database = Database(f"sqlite:///{tmp_path / 'results.db'}")
    yield RunKit(database)
    database.dispose()


@pytest.fixture
def made(kit: RunKit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    made = Pool(kit)
    monkeypatch.setattr(EmbeddedPool, "_spawn", made.spawn)
    made.pool.start()
    yield made
    for process in made.processes:
        process.end(0)
    made.pool.stop()


@pytest.mark.parametrize("code", [-signal.SIGKILL, -signal.SIGTERM, 1])
def test_one_that_dies_with_a_batch_is_counted_and_replaced(made: Pool, code: int) -> None:
    made.serve()
    made.processes[0].end(code)
    made.pool.watch(0.0)
    assert made.held() == (None, 1)
    assert (made.pool.deaths, len(made.processes), made.pool.alive) == (1, 2, 1)


def test_one_that_ends_in_order_gives_its_batch_back_and_no_film_is_blamed(made: Pool) -> None:
    made.serve()
    made.processes[0].end(0)
    made.pool.watch(0.0)
    assert made.held() == (None, 0)
    assert (made.pool.deaths, len(made.processes)) == (0, 2)


def test_one_that_was_told_to_end_before_it_could_hear_it_is_no_death(made: Pool) -> None:
    for count in range(2, 3 * pool.DEATHS_BEFORE_READY):
        made.processes[-1].end(-signal.SIGTERM)
        made.pool.watch(0.0)
        assert (made.pool.deaths, len(made.processes)) == (0, count)


def test_processes_that_die_before_they_serve_are_the_machines_fault(made: Pool) -> None:
    for _ in range(pool.DEATHS_BEFORE_READY - 1):
        made.processes[-1].end(-signal.SIGKILL)
        made.pool.watch(0.0)
    made.processes[-1].end(-signal.SIGKILL)
    with pytest.raises(MachineUnfit, match="the last with exit -9: no film is blamed"):
        made.pool.watch(0.0)


def test_one_that_serves_in_between_begins_their_count_anew(made: Pool) -> None:
    for number in range(2 * pool.DEATHS_BEFORE_READY):
        if number == pool.DEATHS_BEFORE_READY - 1:
            made.pipes[-1].send(Ready(OWNER))
        made.processes[-1].end(-signal.SIGKILL)
        if number == 2 * pool.DEATHS_BEFORE_READY - 1:
            with pytest.raises(MachineUnfit):
                made.pool.watch(0.0)
        else:
            made.pool.watch(0.0)


def test_a_run_that_has_ended_gets_no_new_process(made: Pool) -> None:
    with made.kit.database.writing() as session:
        set_state(session, made.run, RunState.CANCELLED)
    made.processes[0].end(0)
    made.pool.watch(0.0)
    assert (len(made.processes), made.pool.alive) == (1, 0)


def test_those_too_many_are_asked_once_to_end_their_batch(made: Pool) -> None:
    made.processes[0].ends_when_asked = False
    made.pool.size = 0
    made.pool.watch(0.0)
    made.pool.watch(0.0)
    assert made.processes[0].asked == ["terminate"]


def test_one_that_says_nothing_for_a_lease_is_killed_but_not_for_time_that_we_slept(made: Pool) -> None:
    made.serve()
    child = made.pool._children[0]
    made.pool._looked_at -= 100.0  # we stood still ourselves
    child.heard_at -= 100.0
    made.pool.watch(0.0)
    assert made.processes[0].asked == []
    child.heard_at = made.pool._looked_at - 29.0
    made.pool._end_hanging()
    assert made.processes[0].asked == []
    child.heard_at = made.pool._looked_at - 30.5
    made.pool._end_hanging()
    assert made.processes[0].asked == ["kill"]
    made.pool.watch(0.0)
    assert (made.held(), made.pool.deaths) == ((None, 1), 1)


@pytest.mark.parametrize(
    ("code", "kills"), [(0, 0), (1, 1), (None, 0)], ids=["it ends", "it dies of it", "it is not waited for"]
)
def test_at_the_end_a_batch_is_counted_as_killing_only_where_its_process_died(
    made: Pool, monkeypatch: pytest.MonkeyPatch, code: int | None, kills: int
) -> None:
    monkeypatch.setattr(pool, "END_SECONDS", 0.1)
    made.serve()
    process = made.processes[0]
    process.ends_when_asked = False
    if code is not None:
        monkeypatch.setattr(process, "terminate", lambda: process.end(code))
    made.pool.stop()
    assert made.held() == (None, kills)
    assert made.processes[0].asked == (["terminate", "kill"] if code is None else [])
