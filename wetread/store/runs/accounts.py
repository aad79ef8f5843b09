"""A run's accounts: what was found, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from schemas.alarms import Alarm, AlarmKind
from schemas.errors import UsageError
from schemas.states import RunKind, RunState
from schemas.tables import Model, Run, RunTally
from schemas.walk_rules import USUAL_WALK, WalkRules
from wetread.store.images.places import root_paths
from wetread.store.received.received_films import conflicts_of
from wetread.store.runs.lifecycle import shadows_of
from wetread.store.work.tallies import NOTE


@dataclass(frozen=True, slots=True)
class RunAccount:
    """A run as it stands: found = pending + done + rejected + dead + cancelled + skipped.

    shadow_of: the run that it reads beside.
    kind: where it comes from. roots: the directories that it walks, links resolved, as bytes.
    labels: images by their most probable label. uncertain: of these, those whose decision says no label.
    passed_over: by the last walk, {kind: count}; unread_directories: that it could not look into.
    received_conflicts: films that it took from a spool, whose SOP instance came with other bytes, too.
    trouble, trouble_why: what hindered it last. drift: what its scores and inputs were past at its end.
    """

    id: int
    state: RunState
    model: str
    model_digest: str
    engine: str
    shadow_of: int | None
    root_ids: tuple[int, ...]
    force: bool
    created_at: datetime
    walked_at: datetime | None
    ended_at: datetime | None
    note: str | None
    found: int
    pending: int
    done: int
    rejected: int
    dead: int
    cancelled: int
    skipped: int
    labels: dict[str, int] = field(default_factory=dict)
    uncertain: dict[str, int] = field(default_factory=dict)
    rejected_reasons: dict[str, int] = field(default_factory=dict)
    dead_reasons: dict[str, int] = field(default_factory=dict)
    kind: RunKind = RunKind.SCREEN
    rules: WalkRules = USUAL_WALK
    passed_over: dict[str, int] = field(default_factory=dict)
    unread_directories: int = 0
    trouble: AlarmKind | None = None
    trouble_why: str | None = None
    drift: tuple[Alarm, ...] = ()
    roots: tuple[bytes, ...] = ()
    display_notes: dict[str, int] = field(default_factory=dict)
    received_conflicts: int = 0

    @property
    def settled(self) -> int:
        """Return how many images this run itself has brought to an end."""
        return self.done + self.rejected + self.dead


def run_state(session: Session, run_id: int) -> RunState | None:
    """Return the state of a run; None when it was deleted."""
    state = session.scalar(select(Run.state).where(Run.id == run_id))
    return None if state is None else RunState(state)


def run_account(session: Session, run_id: int | None = None) -> RunAccount:
    """Return the accounts of a run, by default of the latest that is not a companion run.

    Raises UsageError when there is no such run.
    """
    query = select(Run, Model.name, Model.version).join(Model, Model.digest == Run.model_digest)
    latest_of_all = query.where(Run.shadow_of.is_(None)).order_by(Run.id.desc()).limit(1)
    query = latest_of_all if run_id is None else query.where(Run.id == run_id)
    row = session.execute(query).first()
    if row is None:
        latest = session.scalar(select(func.max(Run.id)))
        hint = (
            f"the latest is {latest}; see `wetread runs list`" if latest else "none was made yet; `wetread screen DIR`"
        )
        raise UsageError(f"expected a run, found {'none' if run_id is None else f'no run {run_id}'}: {hint}")
    (account,) = _accounts(session, [row])
    return account


def shadow_accounts(session: Session, run_id: int) -> list[RunAccount]:
    """Return the accounts of the runs that shadow this one, the latest first."""
    return [run_account(session, shadow) for shadow in shadows_of(session, run_id)]


def list_accounts(
    session: Session, *, limit: int = 50, running_first: bool = False, before: int | None = None
) -> list[RunAccount]:
    """Return the accounts of the latest runs, newest first; optionally running ones before the others.

    before: only of runs with a smaller number.

    A few queries, however many runs there are: those of the runs, their tallies and their roots.
    """
    query = select(Run, Model.name, Model.version).join(Model, Model.digest == Run.model_digest)
    if before is not None:
        query = query.where(Run.id < before)
    if running_first:
        query = query.order_by(case((Run.state == RunState.RUNNING, 0), else_=1))
    rows = session.execute(query.order_by(Run.id.desc()).limit(limit)).all()
    return _accounts(session, rows)


def _accounts(session: Session, rows: Sequence[Any]) -> list[RunAccount]:
    """Return the accounts of (run, its model's name, its version)."""
    tallies = _tallies(session, [run.id for run, _, _ in rows])
    roots = root_paths(session, list({number for run, _, _ in rows for number in run.root_ids}))
    conflicts = conflicts_of(session, [run.id for run, _, _ in rows])
    accounts = [_account(tallies[run.id], roots, run, model, version) for run, model, version in rows]
    return [replace(one, received_conflicts=conflicts[one.id]) if one.id in conflicts else one for one in accounts]


Tallies = dict[str, dict[str, int]]


def _tallies(session: Session, run_ids: Sequence[int]) -> dict[int, Tallies]:
    """Return {run: {kind: {label or reason: images}}}."""
    tallies: dict[int, Tallies] = {
        run_id: {"label": {}, "uncertain": {}, "rejected": {}, "dead": {}, NOTE: {}} for run_id in run_ids
    }
    query = select(RunTally.run_id, RunTally.kind, RunTally.name, RunTally.count)
    query = query.where(RunTally.run_id.in_(run_ids), RunTally.count > 0).order_by(RunTally.name)
    for run_id, kind, name, count in session.execute(query):
        tallies[run_id][kind][name] = count
    return tallies


def _account(tallies: Tallies, roots: Mapping[int, bytes], run: Run, model: str, version: int) -> RunAccount:
    return RunAccount(
        id=run.id,
        state=RunState(run.state),
        model=f"{model}@{version}",
        model_digest=run.model_digest,
        engine=run.engine,
        shadow_of=run.shadow_of,
        root_ids=tuple(run.root_ids),
        force=run.force,
        created_at=run.created_at,
        walked_at=run.walked_at,
        ended_at=run.ended_at,
        note=run.note,
        found=run.found,
        pending=run.pending,
        done=run.done,
        rejected=run.rejected,
        dead=run.dead,
        cancelled=run.cancelled,
        skipped=run.skipped,
        labels=tallies["label"],
        uncertain=tallies["uncertain"],
        rejected_reasons=tallies["rejected"],
        dead_reasons=tallies["dead"],
        kind=RunKind(run.kind),
        rules=WalkRules.from_json(run.walk_rules),
        passed_over=dict(run.passed_over or {}),
        unread_directories=run.unread_directories,
        trouble=None if run.trouble is None else AlarmKind(run.trouble),
        trouble_why=run.trouble_why,
        drift=tuple(Alarm.from_json(alarm) for alarm in run.drift or ()),
        roots=tuple(roots[number] for number in run.root_ids if number in roots),
        display_notes=tallies[NOTE],
    )
