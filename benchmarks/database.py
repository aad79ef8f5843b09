"""Asking a database of ten million readings: `python -m benchmarks.database [IMAGES] [--postgresql]`.

Generates the database (benchmarks/generated.py), then asks: `results list` by each filter alone, first pages and later
ones, `results summary` by run, `status`, and `results export`. --keep FOLDER keeps a SQLite file for another time.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from benchmarks.generated import MODEL, fill
from benchmarks.memory import megabytes
from cli.result_rows import table_row
from tests.servers.postgres_server import PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.results.counts import By, run_counts
from wetread.store.results.finding import Filters, Position, Sort, find_results
from wetread.store.runs.accounts import run_account

TIMES = 20
PAGES = 5
BEGUN = datetime.fromtimestamp(1700000000, UTC)


def main() -> None:
    """Generate, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database", description="What asking the results costs.")
    parser.add_argument("images", nargs="?", type=int, default=10_000_000)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own; default: SQLite")
    parser.add_argument("--url", help="of a database that is empty, or was filled by this before")
    parser.add_argument("--fill", action="store_true", help="generate, and measure nothing yet")
    parser.add_argument("--keep", type=Path, help="a folder where the SQLite file stays, or is")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
        if chosen.postgresql and not chosen.url:
            server = PostgresServer().start()
            try:
                measure(server.create_database("asked"), chosen.images, only_fill=chosen.fill)
            finally:
                server.close()
        else:
            file = f"sqlite:///{(chosen.keep or Path(place)) / 'results.db'}"
            measure(chosen.url or file, chosen.images, only_fill=chosen.fill)


def measure(url: str, images: int, *, only_fill: bool) -> None:
    """Fill the database at `url` if it is empty, and print what asking it costs."""
    database = Database(url)
    ensure_schema(database)
    with database.reading() as session:
        empty = not list(find_results(session, Filters(), limit=1))
    if empty:
        began = time.monotonic()
        fill(database, images)
        print(f"generated in {time.monotonic() - began:.0f} s")
    if only_fill:
        return
    of_all = {"sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"}
    with database.connecting() as connection:
        asked = of_all.get(database.dialect, "SELECT pg_database_size(current_database())")
        size = int(connection.execute(text(asked)).scalar_one()) / 1e9
    memory = psutil.virtual_memory().total / 1024**3
    print(
        f"{images:,} readings on {database.dialect}, {size:.1f} GB; {len(os.sched_getaffinity(0))} cores, "
        f"{memory:.0f} GiB, Python {platform.python_version()}\n"
    )
    print(f"{'milliseconds':44}{'median':>9}{'95%':>9}{'most':>9}")
    for what, ask in questions(database, images):
        took = sorted(ask() for _ in range(TIMES))
        print(f"{what:44}{statistics.median(took):9.1f}{took[int(TIMES * 0.95) - 1]:9.1f}{took[-1]:9.1f}", flush=True)
    for form in ("csv", "jsonl", "parquet"):
        exported(url, form)
    database.dispose()


def questions(database: Database, images: int) -> Iterator[tuple[str, Callable[[], float]]]:
    """Yield each question and what asks it once, with values drawn anew; it returns the milliseconds."""
    draw = random.Random(1)  # noqa: S311 - which films are asked for is no secret

    def somewhen() -> datetime:
        return BEGUN + timedelta(seconds=draw.randrange(images // 50 + 1))

    filters: dict[str, Callable[[], dict[str, Any]]] = {
        "none": dict,
        "--run (80% of all)": lambda: {"run": 1},
        "--run (a night)": lambda: {"run": draw.randint(3, 5)},
        "--model": lambda: {"model_digest": MODEL},
        "--label": lambda: {"label": draw.choice(["covid", "normal", "pneumonia"])},
        "--label, no such": lambda: {"label": "tuberculosis"},
        "--decision uncertain": lambda: {"decision": "uncertain"},
        "--state done": lambda: {"state": "done"},
        "--state rejected": lambda: {"state": "rejected"},
        "--state dead (one in 100,000)": lambda: {"state": "dead"},
        "--reason": lambda: {"reason": draw.choice(["truncated", "vanished", "not_a_film", "crashed", "flat"])},
        "--min-probability": lambda: {"min_probability": draw.random()},
        "--max-probability": lambda: {"max_probability": draw.random()},
        "--since": lambda: {"since": somewhen()},
        "--until": lambda: {"until": somewhen()},
        "--path (a third of all)": lambda: {"path": b"/archive/ward/"},
        "--path (a thousand)": lambda: {"path": b"/archive/chest/2000/%03d/" % draw.randrange(500)},
        "--path (one)": lambda: {"path": b"/archive/ct/2000/000/%08d.png" % 2},
        "--study": lambda: {"study_uid": f"1.2.840.{draw.randrange(1 + images // 2000)}"},
        "--series": lambda: {"series_uid": f"1.2.840.{draw.randrange(1 + images // 2000)}.0"},
        "--run (a night) --label covid": lambda: {"run": draw.randint(3, 5), "label": "covid"},
        "--path (a thousand) --label covid": lambda: {
            "path": b"/archive/ward/2000/%03d/" % draw.randrange(500), "label": "covid",
        },
    }  # fmt: skip
    for what, values in filters.items():
        yield f"list {what}", lambda values=values: listed(database, Filters(**values()))  # type: ignore[misc]  # a default that binds now
    for sort in Sort:
        yield f"list --sort {sort}", lambda sort=sort: listed(database, Filters(), sort)  # type: ignore[misc]  # the same
    yield "list --label covid, page by page", lambda: paged(database, Filters(label="covid"))
    yield "summary --run", lambda: timed(database, lambda s: run_counts(s, Filters(run=1), By.LABEL))
    yield "summary --by run", lambda: timed(database, lambda s: run_counts(s, Filters(), By.RUN))
    yield "status", lambda: timed(database, run_account)


def timed(database: Database, ask: Callable[[Any], object]) -> float:
    """Return the milliseconds that a question takes."""
    began = time.perf_counter()
    with database.reading() as session:
        ask(session)
    return 1000 * (time.perf_counter() - began)


def listed(database: Database, filters: Filters, sort: Sort | None = None) -> float:
    """Return the milliseconds of a page of a hundred, made ready to print."""
    return timed(
        database,
        lambda session: [
            table_row(row, of_study=False) for row in find_results(session, filters, limit=101, sort=sort)
        ],
    )


def paged(database: Database, filters: Filters) -> float:
    """Return the milliseconds of the slowest of the first pages."""
    took, after = [], None
    for _ in range(PAGES):
        began = time.perf_counter()
        with database.reading() as session:
            rows = list(find_results(session, filters, limit=100, after=after))
        took.append(1000 * (time.perf_counter() - began))
        after = Position.of(rows[-1])
    return max(took)


def exported(url: str, form: str) -> None:
    """Print the rows a second of an export of run 2, a tenth of all, and the memory it took."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "cli", "results", "export", "--run", "2", "--format", form]
        process = subprocess.Popen(
            [*command, "--output", str(Path(place) / "out")], stderr=subprocess.PIPE, text=True,
            env=os.environ | {"WETREAD_DATABASE_URL": url, "WETREAD_HOME": place},
        )  # fmt: skip
        began, most = time.perf_counter(), 0.0
        while process.poll() is None:
            most = max(most, megabytes("VmHWM", process.pid))
            time.sleep(0.02)
        took = time.perf_counter() - began
        said = process.communicate()[1]
        rows = int(said.split(" rows")[0].split()[-1])
        print(f"export {form}: {rows:,} rows in {took:.1f} s, {rows / took:,.0f} rows/s, {most:.0f} MB at most")


if __name__ == "__main__":
    main()
