"""Totals of all work for the metrics, in few queries for an archive of any size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from schemas.alarms import AlarmKind
from schemas.schedule_tables import ScheduleTick
from schemas.states import ItemState, RunState, TickKind, TickOutcome
from schemas.tables import Batch, Model, ModelAlias, Run, RunTally
from wetread.store.core.database_clock import database_seconds, read_clock
from wetread.store.received.deliveries import count_deliveries
from wetread.store.received.pulls import count_pulls
from wetread.store.received.received_films import ReceivedTotals, read_received
from wetread.store.runs.accounts import list_accounts
from wetread.store.runs.alarms import latest_alarms
from wetread.store.work.leases import read_with_another


@dataclass(frozen=True, slots=True)
class Totals:
    """All runs together.

    films: {(state, reason): images}; reason is "" where the state has none. runs: {state: runs}.
    unsettled: batches of running runs with images left, a shadow's and the one it is read with counted as one; held:
    those that a worker has; expired: those whose lease ran out and that nobody has taken yet. abandoned: times that a
    worker died, or was silent past its lease and since, with a batch.
    models: {alias: (NAME@VERSION, digest)}. ticks: {(kind, outcome): moments of schedules}.
    received: what came over the network. deliveries: {state: reports for PACS}. pulls: {state: pulls}.
    alarms: {kind: how many, of the latest run of each set of roots}. database_seconds: its clock, seconds since 1970.
    """

    films: dict[tuple[str, str], int]
    runs: dict[str, int]
    unsettled: int
    held: int
    expired: int
    abandoned: int
    models: dict[str, tuple[str, str]]
    ticks: dict[tuple[str, str], int]
    alarms: dict[str, int]
    received: ReceivedTotals
    deliveries: dict[str, int]
    pulls: dict[str, int]
    database_seconds: float


def read_totals(session: Session) -> Totals:
    """Return the present totals."""
    unsettled, held, expired = _batches(session)
    return Totals(
        films=_films(session),
        runs=_runs(session),
        unsettled=unsettled,
        held=held,
        expired=expired,
        abandoned=session.scalar(select(func.coalesce(func.sum(Batch.kills), 0)).where(Batch.kills > 0)) or 0,
        models=_models(session),
        ticks=_ticks(session),
        alarms=_alarms(session),
        received=read_received(session),
        deliveries=count_deliveries(session),
        pulls=count_pulls(session),
        database_seconds=read_clock(session),
    )


def count_unsettled_batches(session: Session) -> int:
    """Return how many batches of running runs have images left: what workers are scaled by.

    A shadow's batch and the one that it is read with are taken together, by one worker, and are counted once.
    """
    return session.scalar(select(func.count()).select_from(Batch).where(*_UNSETTLED)) or 0


_RUNNING = select(Run.id).where(Run.state == RunState.RUNNING)
_UNSETTLED = (Batch.pending > 0, Batch.run_id.in_(_RUNNING), ~read_with_another())


def _films(session: Session) -> dict[tuple[str, str], int]:
    states = (ItemState.PENDING, ItemState.DONE, ItemState.CANCELLED, "skipped")
    row = session.execute(select(*(func.coalesce(func.sum(getattr(Run, state)), 0) for state in states))).one()
    films = {(str(state), ""): int(count) for state, count in zip(states, row, strict=True)}
    failed = (ItemState.REJECTED, ItemState.DEAD)
    query = select(RunTally.kind, RunTally.name, func.sum(RunTally.count)).where(RunTally.kind.in_(failed))
    for state, reason, count in session.execute(query.group_by(RunTally.kind, RunTally.name)):
        films[state, reason] = int(count)
    return films


def _runs(session: Session) -> dict[str, int]:
    query = select(Run.state, func.count()).group_by(Run.state)
    return {str(state): int(count) for state, count in session.execute(query)}


def _batches(session: Session) -> tuple[int, int, int]:
    held = Batch.owner.is_not(None)
    counts = (
        func.count(),
        func.coalesce(func.sum(case((held, 1), else_=0)), 0),
        func.coalesce(func.sum(case((held & (Batch.lease_until < database_seconds()), 1), else_=0)), 0),
    )
    unsettled, held_now, expired = session.execute(select(*counts).select_from(Batch).where(*_UNSETTLED)).one()
    return int(unsettled), int(held_now), int(expired)


def _models(session: Session) -> dict[str, tuple[str, str]]:
    query = select(ModelAlias.alias, Model.name, Model.version, Model.digest)
    rows = session.execute(query.join(Model, Model.digest == ModelAlias.model_digest))
    return {alias: (f"{name}@{number}", digest) for alias, name, number, digest in rows}


def _ticks(session: Session) -> dict[tuple[str, str], int]:
    ticks = {(str(kind), str(outcome)): 0 for kind in TickKind for outcome in TickOutcome}
    query = select(ScheduleTick.kind, ScheduleTick.outcome, func.count())
    for kind, outcome, count in session.execute(query.group_by(ScheduleTick.kind, ScheduleTick.outcome)):
        ticks[kind, outcome] = int(count)
    return ticks


OF_RUNS = [kind for kind in AlarmKind if kind not in (AlarmKind.NIGHT_MISSED, AlarmKind.NIGHT_FAILED)]
"""Kinds of alarms that a run's accounts tell; nights without a run are among the moments of schedules."""

RUNS_LOOKED_AT = 200
"""The latest so many runs, among which the latest of each set of roots is looked for."""


def _alarms(session: Session) -> dict[str, int]:
    by_run = latest_alarms(list_accounts(session, limit=RUNS_LOOKED_AT))
    counts = Counter(alarm.kind for alarms in by_run.values() for alarm in alarms)
    return {str(kind): counts[kind] for kind in OF_RUNS}
