"""A run's counters by label and by reason, updated as images settle or are decided again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from schemas.films import FilmHeader
from schemas.predictions import UNCERTAIN
from schemas.tables import RunTally
from wetread.store.core.sent_together import say
from wetread.store.core.upsert import insert_for
from wetread.store.work.outcomes import Outcome

NOTE = "note"
"""The kind of counters of films that were read with something of their display left out or set right."""


def _notes_of(header: FilmHeader | None) -> list[tuple[str, str]]:
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
    say(session, statement, rows)


def tally_of(outcomes: Sequence[Outcome]) -> Counter[tuple[str, str]]:
    """Return {(kind, name): how many} of what became of some images."""
    tally: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        if (reading := outcome.prediction or outcome.linked) is not None:
            tally["label", reading.label] += 1
            if reading.decision == UNCERTAIN:
                tally["uncertain", reading.label] += 1
            tally.update(_notes_of(outcome.header))
        elif outcome.reason is not None:
            tally[str(outcome.state), str(outcome.reason)] += 1
    return tally
