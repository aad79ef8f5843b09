"""A run's counters by label and by reason, kept as its images settle and as they are decided anew."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from schemas.films import FilmHeader
from schemas.tables import RunTally
from wetread.store.upsert import insert_for

NOTE = "note"
"""The kind of counters of films that were read with something of their display left out or set right."""


def notes_of(header: FilmHeader | None) -> list[tuple[str, str]]:
    """Return the counters of what was left out or set right of a film's display."""
    return [(NOTE, note) for note in ((header and header.display_note) or "").split(",") if note]


def add_tallies(session: Session, run_id: int, tally: Mapping[tuple[str, str], int]) -> None:
    """Add to a run's counters: {(kind, name): how many more, or below 0 fewer}."""
    if not tally:
        return
    rows = [{"run_id": run_id, "kind": k, "name": n, "count": count} for (k, n), count in sorted(tally.items())]
    statement = insert_for(session)(RunTally)
    statement = statement.on_conflict_do_update(
        index_elements=[RunTally.run_id, RunTally.kind, RunTally.name],
        set_={"count": RunTally.count + statement.excluded["count"]},
    )
    session.execute(statement, rows)
