"""Many connections that claim batches and settle them at once, by the functions that workers use."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from statistics import median
from typing import Any

from sqlalchemy import text

from tests.screened import DIGEST, RunKit, done, nobody_died
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.roots.adding import root_ids
from wetread.store.runs.lifecycle import open_run
from wetread.store.work.known_readings import known_readings
from wetread.store.work.leases import Claim, claim
from wetread.store.work.outcomes import Outcome
from wetread.store.work.settling import settle_together
from wetread.store.work.stages import add_stage_seconds
from worker.stages import BESIDE, IN_TURN

BATCH = 64
FILES_AT_ONCE = 2_048
COMMITS = "CREATE TABLE commits (number integer)"
STAGES = dict.fromkeys((*IN_TURN, *BESIDE), 0.01)
PROCESSES = 8
"""At most; each holds as many threads as it takes, with a connection each."""

CLAIM, SETTLE, LOOKUP, COMMIT = "claim", "settle", "look 16 up", "commit one row"
PHASES = (CLAIM, SETTLE, LOOKUP, COMMIT)
LOOKED_UP = 16
"""Films that a worker looks up at once: see worker/read_ahead.py."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast something went, by all connections together.

    milliseconds: that one took, the median; server, client: of a core, milliseconds, that one took on either side.
    """

    per_second: float
    milliseconds: float
    server: float
    client: float


def filled_runs(url: str, runs: int, batches: int) -> list[list[int]]:
    """Make tables, and `runs` runs of `batches` batches of 64 films that no worker has; return their ids, by run."""
    database = Database(url)
    ensure_schema(database)
    kit = RunKit(database, BATCH)
    made = []
    for number in range(runs):
        with database.writing() as session:
            (kit.root,) = root_ids(session, [b"/archive/%d" % number])
            opened = open_run(session, [kit.root], DIGEST, "numpy", force=False, walker="here:1:1", dead=nobody_died)
        names = [b"%d/%07d.png" % (number, film) for film in range(batches * BATCH)]
        chunks = [names[first : first + FILES_AT_ONCE] for first in range(0, len(names), FILES_AT_ONCE)]
        made.append([batch for chunk in chunks for batch in kit.record(opened.id, chunk).batch_ids])
        kit.end_walk(opened.id)
    with database.connecting() as connection:
        connection.exec_driver_sql(COMMITS)
        connection.exec_driver_sql("ANALYZE")
    database.dispose()
    return made


def contend(
    url: str, shares: Sequence[Sequence[int]], server_seconds: Callable[[], float], at_end: Callable[[], Any]
) -> tuple[dict[str, Rate], Any]:
    """Claim and settle the batches of `shares`, a connection each, all at once; return a rate a phase, and `at_end`.

    The first batch of each share is not counted.
    server_seconds: of a core, that the server has used so far. at_end: asked while all connections are still there.
    """
    context = multiprocessing.get_context("spawn")
    barrier, said = context.Barrier(len(shares) + 1), context.Queue()
    groups = [shares[first::PROCESSES] for first in range(min(PROCESSES, len(shares)))]
    processes = [context.Process(target=_serve, args=(url, group, barrier, said)) for group in groups]
    for process in processes:
        process.start()
    rates = {}
    for phase in PHASES:
        barrier.wait()
        used, began = server_seconds(), time.perf_counter()
        barrier.wait()
        barrier.wait()
        seconds, used = time.perf_counter() - began, server_seconds() - used
        spent = [one for _ in shares for one in said.get()]
        each = 1000 / len(spent)
        client = each * sum(core for _, core in spent)
        rates[phase] = Rate(len(spent) / seconds, 1000 * median(took for took, _ in spent), each * used, client)
    barrier.wait()
    ended = at_end()
    barrier.wait()
    for process in processes:
        process.join()
    return rates, ended


def _serve(url: str, shares: Sequence[Sequence[int]], barrier: Barrier, said: Any) -> None:
    def take_part(share: Sequence[int]) -> None:
        try:
            _take_part(url, share, barrier, said)
        except BaseException:
            barrier.abort()  # else all would wait for ever
            raise

    threads = [threading.Thread(target=take_part, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _take_part(url: str, batches: Sequence[int], barrier: Barrier, said: Any) -> None:
    """Claim, settle and commit when all do; put (seconds, seconds of a core) of each."""
    database = Database(url, by_index=True)
    owner, held, outcomes = f"bench:{threading.get_native_id()}:1", list[Claim](), list[list[Outcome]]()

    def take(batch: int) -> None:
        with database.writing() as session:
            taken = claim(session, batch, owner, 600.0)
        assert taken is not None, batch  # noqa: S101 - a figure of others would say nothing
        held.append(taken)

    def read() -> None:
        outcomes.extend([done(item) for item in one.items] for one in held[len(outcomes) :])

    def settle(index: int) -> None:
        with database.writing() as session:
            (fault,) = settle_together(session, [(held[index], outcomes[index])])
            add_stage_seconds(session, held[index].run_id, STAGES)
        assert fault is None, fault  # noqa: S101 - the same

    def look_up(index: int) -> None:
        hashes = [outcome.sha256 for outcome in outcomes[index][:LOOKED_UP] if outcome.sha256 is not None]
        with database.reading() as session:
            known = known_readings(session, hashes, held[index].model_digest)
        assert len(known) == LOOKED_UP, known  # noqa: S101 - the same

    def commit(number: int) -> None:
        with database.writing() as session:
            session.execute(text("INSERT INTO commits VALUES (:number)"), {"number": number})

    take(batches[0])  # not counted: statements are compiled, and the server opens its tables
    read()
    settle(0)
    look_up(0)
    commit(0)
    rest = range(1, len(batches))
    _timed(take, batches[1:], barrier, said)
    read()
    _timed(settle, rest, barrier, said)
    _timed(look_up, rest, barrier, said)
    _timed(commit, rest, barrier, said)
    barrier.wait()
    barrier.wait()
    database.dispose()


def _timed(act: Callable[[int], None], each: Sequence[int], barrier: Barrier, said: Any) -> None:
    barrier.wait()
    barrier.wait()
    spent = []
    for one in each:
        began, core = time.perf_counter(), time.thread_time()
        act(one)
        spent.append((time.perf_counter() - began, time.thread_time() - core))
    barrier.wait()
    said.put(spent)
