"""`make bench`: images a second on this machine, as a table."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

import psutil

from benchmarks.throughput import LIMIT, measure, wetread
from schemas.predictions import ENGINES
from trainer.phantoms import draw_archive

REAL_ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "archive"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Images a second on this machine.")
    parser.add_argument("archive", nargs="?", type=Path, help="default: ../shared/data/archive, or else drawn phantoms")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all")
    parser.add_argument("--model", type=Path, help="a model's folder; default: the model that ships")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: one a core")
    parser.add_argument("--rounds", type=int, default=5, help="in each of which everything runs once; default: 5")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
        archive = chosen.archive or (REAL_ARCHIVE if REAL_ARCHIVE.is_dir() else drawn(Path(place) / "archive"))
        home = Path(place) / "home"
        if chosen.model:
            imported = wetread(home, "models", "import", chosen.model)
            named = f"{imported['name']}@{imported['version']}"
            wetread(home, "models", "promote", named, "--accept-evaluation", "to measure its speed")
        print(machine())
        print(f"{archive}, {chosen.workers} processes, {chosen.rounds} rounds in turns\n")
        rows = measure(
            archive, home, engines=chosen.engine or list(ENGINES), workers=chosen.workers, rounds=chosen.rounds
        )
        print(
            f"{'images/s':34}{'images':>8}{'least':>10}{'median':>10}{'most':>10}{'of limit':>10}{'MB a process':>15}"
        )
        limit = next(row for row in rows if row.what == LIMIT).images_per_second[1]
        for row in rows:
            least, middle, most = row.images_per_second
            memory = "-" if row.megabytes is None else f"{row.megabytes:.0f}"
            print(
                f"{row.what:34}{row.images:8}{least:10.1f}{middle:10.1f}{most:10.1f}{middle / limit:10.2f}{memory:>15}"
            )


def drawn(directory: Path) -> Path:
    """Draw an archive of phantoms; return its directory."""
    draw_archive(directory, patients=200, seed=0)
    return directory


def machine() -> str:
    """Return what this machine is, in a line."""
    memory = psutil.virtual_memory().total / 1024**3
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
