"""Gives numbers to runs, each once: logs and readings name them after a run is deleted.

PostgreSQL's sequences never give a number again; SQLite gives the highest again once its row is gone.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.tables import NumberGiven, Run
from wetread.store.core.upsert import insert_for

RUNS = "runs"


def next_run_number(session: Session) -> int | None:
    """Return the number of a run that is made now; None where the database gives one by itself.

    The transaction is to be a writing one: SQLite has one writer at a time.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    given = session.scalar(select(NumberGiven.highest).where(NumberGiven.name == RUNS)) or 0
    return max(given, session.scalar(select(func.max(Run.id))) or 0) + 1


def note_deleted_run(session: Session, run_id: int) -> None:
    """Remember that this number was given, before its row goes."""
    insert = insert_for(session)(NumberGiven).values(name=RUNS, highest=run_id)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[NumberGiven.name], set_={"highest": insert.excluded.highest},
            where=NumberGiven.highest < insert.excluded.highest,
        )
    )  # fmt: skip
