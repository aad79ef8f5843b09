"""Stores where a run's workers spent their time, by stage, summed over all processes and machines."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.tables import Run, RunStage
from wetread.store.core.sent_together import say
from wetread.store.core.upsert import insert_for


def add_stage_seconds(session: Session, run_id: int, seconds: Mapping[str, float]) -> None:
    """Add to a run's {stage: seconds}."""
    rows = [{"run_id": run_id, "stage": stage, "seconds": some} for stage, some in sorted(seconds.items())]
    if not rows:
        return
    statement = insert_for(session)(RunStage)
    statement = statement.on_conflict_do_update(
        index_elements=[RunStage.run_id, RunStage.stage],
        set_={"seconds": RunStage.seconds + statement.excluded["seconds"]},
    )
    say(session, statement, rows)


def stage_seconds(session: Session, run_id: int) -> dict[str, float]:
    """Return {stage: seconds} of a run so far; {} where none of its workers has settled a batch."""
    query = select(RunStage.stage, RunStage.seconds).where(RunStage.run_id == run_id)
    return {row.stage: row.seconds for row in session.execute(query)}


def stage_seconds_a_film(session: Session, run_id: int) -> dict[str, float]:
    """Return {stage: seconds} of a run, divided by the films that it has settled: what its mean film took."""
    settled = session.scalar(select(Run.done + Run.rejected + Run.dead).where(Run.id == run_id))
    return {stage: seconds / settled for stage, seconds in stage_seconds(session, run_id).items()} if settled else {}
