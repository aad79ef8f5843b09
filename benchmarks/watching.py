"""How soon `wetread watch` reads a film that appears: many at once, and one a second.

    python -m benchmarks.watching [--films 1000] [--seconds 20] [--workers N]

The films are small and drawn (64 x 64), so that the watch is measured and not the reading; the model is a tiny one with
random weights. A film's latency is from the end of its copy to the moment that its row says it was settled at;
what it has to stand still for (--settle-seconds) is in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.archives import machine
from tests.chaos.films import draw_films
from tests.tiny_model import publish_tiny_model

LIMIT_SECONDS = 120.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watching", description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=1000, help="films copied in at once; default: 1000")
    parser.add_argument("--seconds", type=int, default=20, help="and then one a second for so long; default: 20")
    parser.add_argument("--settle-seconds", type=float, default=1.0, help="as for `wetread watch`; default: 1")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: one a core")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as folder:
        place = Path(folder)
        films = [
            place / "drawn" / film for film in draw_films(place / "drawn", chosen.films + chosen.seconds + 1, seed=1)
        ]
        publish_tiny_model(None, place / "home")
        (place / "in").mkdir()
        print(f"{machine()}, {chosen.workers} processes, --settle-seconds {chosen.settle_seconds:g}\n")
        print(f"{'':24}{'films':>7}{'median s':>10}{'95th s':>10}{'most s':>10}{'films a batch':>15}")
        watch = _watch(place, chosen.settle_seconds, chosen.workers)
        try:
            _copy(films[:1], place, 0.0)  # the first waits for the model
            last = _batches(place / "home")
            for name, some, apart in (
                ("all at once", films[1 : 1 + chosen.films], 0.0),
                ("one a second", films[1 + chosen.films :], 1.0),
            ):
                latencies = sorted(_copy(some, place, apart))
                before, last = last, _batches(place / "home")
                print(
                    f"{name:24}{len(some):7}{statistics.median(latencies):10.2f}"
                    f"{latencies[int(0.95 * (len(latencies) - 1))]:10.2f}{latencies[-1]:10.2f}"
                    f"{len(some) / (last - before):15.1f}",
                    flush=True,
                )
        finally:
            os.kill(watch.pid, signal.SIGTERM)
            watch.wait()


def _watch(place: Path, settle_seconds: float, workers: int) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WETREAD_")}
    command = [
        sys.executable,
        "-m",
        "cli",
        "watch",
        str(place / "in"),
        "--settle-seconds",
        str(settle_seconds),
        "--workers",
        str(workers),
    ]
    return subprocess.Popen(command, env=environment | {"WETREAD_HOME": str(place / "home")}, stdout=subprocess.DEVNULL)


def _copy(films: Sequence[Path], place: Path, apart: float) -> list[float]:
    """Copy films in, `apart` seconds from one another; return their latencies in seconds when all are read."""
    copied: dict[bytes, float] = {}
    for number, film in enumerate(films):
        begun = time.monotonic()
        shutil.copy(film, place / "in" / film.name)
        copied[os.fsencode(film.name)] = time.time()
        if number < len(films) - 1:
            time.sleep(max(0.0, apart - (time.monotonic() - begun)))
    end = time.monotonic() + LIMIT_SECONDS
    while len(read := {path: at for path, at in _settled(place / "home").items() if path in copied}) < len(copied):
        if time.monotonic() > end:
            sys.exit(f"expected {len(copied)} films read within {LIMIT_SECONDS:g} s, found {len(read)}")
        time.sleep(0.5)
    return [read[path] - at for path, at in copied.items()]


def _settled(home: Path) -> dict[bytes, float]:
    """Return when each film was read, in seconds since 1970."""
    rows = _ask(
        home, "SELECT i.path, w.settled_at FROM work_items w JOIN images i ON i.id = w.image_id WHERE w.state = 'done'"
    )
    return {bytes(path): datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() for path, at in rows}


def _batches(home: Path) -> int:
    return int(_ask(home, "SELECT count(*) FROM batches")[0][0])


def _ask(home: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{home / 'results.db'}?mode=ro", uri=True, timeout=60.0)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


if __name__ == "__main__":
    main()
