"""How many seconds and how much memory a morning report takes, by the size of its run, with 30 nights before it.

    python -m benchmarks.morning_report [--films 200000 400000] [--only sqlite|postgresql]

The films are rows alone, written by the benchmark: readings spread over all probabilities, 64 settled at a moment, with
a pause of 16 hours half way. Each report is made in a process of its own. PostgreSQL is one that the benchmark starts;
it does not wait for its disk (fsync off). SQLite's file lies in the system's temporary folder.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from benchmarks.memory import megabytes
from benchmarks.producer import new_database
from schemas.tables import Image, Run, RunTally, StoredPrediction, WorkItem
from tests.screened import DIGEST, LABELS
from wetread.report.morning import ReportLimits, morning_report
from wetread.settings import load_settings
from wetread.store.core.database import Database

NIGHTS, FILMS_A_NIGHT = 30, 500
BEGAN = datetime(2026, 1, 1, 22, tzinfo=UTC)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.morning_report", description="Seconds of a report.")
    parser.add_argument("--films", type=int, nargs="+", default=[200_000, 400_000], help="of the run reported on")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="default: both")
    chosen = parser.parse_args()
    print(f"a run, and {NIGHTS} nights of {FILMS_A_NIGHT} films before it")
    print(f"{'':12}{'films':>10}{'seconds':>10}{'of a CPU':>10}{'MB more':>10}")
    for kind in (chosen.only,) if chosen.only else ("sqlite", "postgresql"):
        for films in chosen.films:
            with new_database(kind) as url:
                fill(url, films)
                seconds, busy, megabytes = reported(url, films)
            print(f"{kind:12}{films:>10,}{seconds:>10.1f}{busy:>10.1f}{megabytes:>10.0f}", flush=True)


def fill(url: str, films: int) -> None:
    """Write the nights and the run."""
    database, chance = Database(url), random.Random(0)  # noqa: S311 - figures, not secrets
    first = 1
    for number in range(NIGHTS):
        _write_run(database, chance, first, FILMS_A_NIGHT, BEGAN + timedelta(days=number))
        first += FILMS_A_NIGHT
    _write_run(database, chance, first, films, BEGAN + timedelta(days=NIGHTS))
    with database.connecting() as connection:
        connection.exec_driver_sql("ANALYZE")
    database.dispose()


def _write_run(database: Database, chance: random.Random, first: int, films: int, began: datetime) -> None:
    with database.writing() as session:
        run = Run(
            state="finished", model_digest=DIGEST, engine="numpy", root_ids=[1], force=False, created_at=began,
            walked_at=began, ended_at=_settled(began, films, films), found=films, done=films,
        )  # fmt: skip
        session.add(run)
        session.flush()
        labels: dict[str, int] = {}
        for begin in range(first, first + films, 5000):
            numbers = range(begin, min(begin + 5000, first + films))
            rows = [_reading(chance, number, run.id, began) for number in numbers]
            for row in rows:
                labels[row["label"]] = labels.get(row["label"], 0) + 1
            images = [
                {"id": n, "root_id": 1, "path": b"%d/%d.png" % (n // 1000, n), "size": 7, "mtime_ns": 1,
                 "path_hash": hashlib.sha256(b"%d" % n).digest()}
                for n in numbers
            ]  # fmt: skip
            items = [
                {"run_id": run.id, "image_id": row["id"], "batch_id": 0, "model_digest": DIGEST, "state": "done",
                 "attempts": 0, "sha256": row["sha256"], "prediction_id": row["id"], "current": True,
                 "settled_at": _settled(began, row["id"] - first, films)}
                for row in rows
            ]  # fmt: skip
            for table, new in ((Image, images), (StoredPrediction, rows), (WorkItem, items)):
                session.execute(insert(table), new)
        session.execute(
            insert(RunTally),
            [{"run_id": run.id, "kind": "label", "name": name, "count": count} for name, count in labels.items()],
        )


def _reading(chance: random.Random, number: int, run: int, read_at: datetime) -> dict[str, Any]:
    parts = [chance.random() for _ in LABELS]
    likely = [part / sum(parts) for part in parts]
    best = max(likely)
    label = LABELS[likely.index(best)]
    return {
        "id": number, "sha256": hashlib.sha256(b"%d" % number).hexdigest(), "model_digest": DIGEST,
        "decision_digest": "d" * 64, "engine": "numpy", "run_id": run, "logits": likely, "label": label,
        "probability": best, "probabilities": likely, "decision": label if best > 0.4 else "uncertain",
        "gate_score": chance.gauss(0, 1), "grey_mean": chance.gauss(128, 20), "grey_deviation": chance.gauss(50, 8),
        "read_at": read_at,
    }  # fmt: skip


def _settled(began: datetime, number: int, films: int) -> datetime:
    """Return when a film was: a batch of 64 a second, and a pause half way."""
    paused = timedelta(hours=16) if 2 * number > films else timedelta()
    return began + timedelta(seconds=number // 64) + paused


def reported(url: str, films: int) -> tuple[float, float, float]:
    """Return the seconds of a report in a new process, those of its processor, and by how many MB it grew."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(url, films, there))
    process.start()
    there.close()
    seconds, busy, megabytes = here.recv()
    process.join()
    return seconds, busy, megabytes


def _report(url: str, films: int, said: Any) -> None:
    database = Database(url)
    with database.reading():
        before = megabytes("VmRSS")
    began, busy = time.perf_counter(), time.process_time()
    made = morning_report(database, load_settings(), None, ReportLimits(1.0, 1.0))
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    assert made.account.done == made.drifts[0].films == films  # noqa: S101 - a figure of fewer films would say nothing
    database.dispose()
    said.send((seconds, busy, megabytes("VmHWM") - before))


if __name__ == "__main__":
    main()
