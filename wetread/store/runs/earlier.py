"""Finds the runs before a run, of the same model, roots and kind, and how many films had each label in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.tables import Run, RunTally
from wetread.store.runs.accounts import RunAccount

NIGHTS = 30
"""Earlier runs that one is compared with, at most."""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """An earlier run: images done, by most probable label, and of these those that are uncertain."""

    id: int
    done: int
    labels: dict[str, int] = field(default_factory=dict)
    uncertain: dict[str, int] = field(default_factory=dict)


def earlier_runs(session: Session, account: RunAccount, *, limit: int = NIGHTS) -> list[EarlierRun]:
    """Return the latest runs before this one that read at least one film, newest first.

    Of the same model, roots and kind: what `watch` found by and by is no measure of a night, nor the other way round.
    """
    runs = {run.id: run for run in _alike(session, account, limit)}
    query = select(RunTally.run_id, RunTally.kind, RunTally.name, RunTally.count)
    wanted = query.where(RunTally.run_id.in_(runs), RunTally.kind.in_(("label", "uncertain")))
    for run_id, kind, name, count in session.execute(wanted):
        (runs[run_id].labels if kind == "label" else runs[run_id].uncertain)[name] = count
    return list(runs.values())


def _alike(session: Session, account: RunAccount, limit: int) -> Iterator[EarlierRun]:
    kind = select(Run.kind).where(Run.id == account.id).scalar_subquery()
    query = (
        select(Run.id, Run.done, Run.root_ids)
        .where(Run.model_digest == account.model_digest, Run.kind == kind, Run.id < account.id, Run.done > 0)
        .order_by(Run.id.desc())
        .execution_options(yield_per=500)
    )
    left = limit
    with session.execute(query) as rows:
        for number, done, roots in rows:
            if sorted(roots) == sorted(account.root_ids):
                yield EarlierRun(number, done)
                left -= 1
                if not left:
                    return
