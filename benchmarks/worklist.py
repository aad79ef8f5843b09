"""Pages of the reading room's worklist in a large database: `python -m benchmarks.worklist FOLDER`.

FOLDER holds what `python -m benchmarks.database IMAGES --keep FOLDER --fill` made. Pages in triage, the first and those
behind films far in, forwards and backwards, of the model and of a run, with the films' reviews asked for; and the next
film of one. It sets thresholds there, by which films become uncertain.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from sqlalchemy import select, text, update

from benchmarks.generated import MODEL
from schemas.tables import StoredDecision, WorkItem
from wetread.store.core.database import Database
from wetread.store.results.filters import Filters
from wetread.store.reviews.reading_lists import FilmList
from wetread.store.reviews.reviews import reviews_of_films
from wetread.store.reviews.worklist import FilmKey, page_of_films

PAGE, TURNS = 25, 20
THRESHOLDS = {"covid": 0.8, "normal": 0.7, "pneumonia": 0.75}
FAR = 5
"""Films far in, behind which pages are asked for."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worklist", description="What a worklist's page costs.")
    parser.add_argument("folder", type=Path, help="where results.db is")
    database = Database(f"sqlite:///{parser.parse_args().folder / 'results.db'}")
    with database.writing() as session:
        session.execute(update(StoredDecision).values(thresholds=THRESHOLDS))
        for label, threshold in THRESHOLDS.items():
            said = "UPDATE predictions SET decision = 'uncertain' WHERE label = :label AND probability < :threshold"
            session.execute(text(said), {"label": label, "threshold": threshold})
    with database.reading() as session:
        query = select(WorkItem.run_id, WorkItem.image_id).where(WorkItem.current, WorkItem.state == "done")
        some = session.execute(query.where(WorkItem.image_id % 99_991 == 11).limit(FAR)).all()
    far = [FilmKey(run, image) for run, image in some]
    print("| page | films | median | slowest | of a core, median |\n|---|---|---|---|---|")
    for name, filters in (("model", Filters(model_digest=MODEL)), ("run 1", Filters(run=1))):
        films = FilmList(filters)
        measure(database, f"{name}, the first", films, [None])
        measure(database, f"{name}, far in", films, far)
        measure(database, f"{name}, far in, backwards", films, far, backwards=True)
        measure(database, f"{name}, the next film", films, far, limit=1)


def measure(
    database: Database,
    name: str,
    films: FilmList,
    places: list[FilmKey] | list[None],
    *,
    backwards: bool = False,
    limit: int = PAGE,
) -> None:
    """Print the milliseconds of TURNS pages, after one that is not counted."""
    took: list[float] = []
    worked: list[float] = []
    found = 0
    for turn in range(TURNS + 1):
        begun, core = time.perf_counter(), time.process_time()
        with database.reading() as session:
            beside = places[turn % len(places)]
            rows = page_of_films(session, films, limit=limit, beside=beside, backwards=backwards)
            reviews_of_films(session, [row.sha256 for row in rows])
        took.append((time.perf_counter() - begun) * 1000)
        worked.append((time.process_time() - core) * 1000)
        found = len(rows)
    figures = statistics.median(took[1:]), max(took[1:]), statistics.median(worked[1:])
    print(f"| {name} | {found} | " + " | ".join(f"{one:.1f} ms" for one in figures) + " |", flush=True)


if __name__ == "__main__":
    main()
