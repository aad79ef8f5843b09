"""Images a second of an archive by engine: what disk and decoder allow, and what `wetread screen` reaches.

    python -m benchmarks.engines [ARCHIVE] [--engine ENGINE] [--model FOLDER] [--rounds 5]

The limits are measured with as many processes as the screening has, over the same files and with its own functions
for reading, decoding and preprocessing, and without a network or a database. A screening is a whole command: the
start of its processes and the loading of its model are in the figure, as they are for its user.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.archives import archive_for, machine
from schemas.errors import Rejected
from schemas.predictions import ENGINES
from wetread.imaging.decode import ALL, decode
from wetread.imaging.files import read_file
from wetread.imaging.preprocess import Preprocess

LIMIT = "limit: and preprocess"
"""The row that screenings are compared with."""

CHUNK = 16
"""Files handed to a process at a time."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn took. megabytes: the most that one of its processes held; None where that was not measured."""

    seconds: float
    megabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table: what was measured, over how many images, and the turns that it had."""

    what: str
    images: int
    turns: tuple[Turn, ...]

    @property
    def images_per_second(self) -> tuple[float, float, float]:
        """Images a second: least, median, most."""
        rates = sorted(self.images / turn.seconds for turn in self.turns)
        return rates[0], median(rates), rates[-1]

    @property
    def megabytes(self) -> float | None:
        """The most that one process held at any moment of any turn, MB; None where that was not measured."""
        held = [turn.megabytes for turn in self.turns if turn.megabytes is not None]
        return max(held, default=None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engines", description="Images a second on this machine."
    )
    parser.add_argument("archive", nargs="?", type=Path, help="default: ../shared/data/archive, or else drawn phantoms")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all")
    parser.add_argument("--model", type=Path, help="a model's folder; default: the model that ships")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: one a core")
    parser.add_argument("--rounds", type=int, default=5, help="in each of which everything runs once; default: 5")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
        archive = archive_for(chosen.archive, Path(place))
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


def measure(archive: Path, home: Path, *, engines: list[str], workers: int, rounds: int) -> list[Measured]:
    """Return the limits, then each engine's screening of `archive`, measured in turns, `rounds` times each."""
    files = [os.fsencode(path.relative_to(archive)) for path in sorted(archive.rglob("*")) if path.is_file()]
    root = os.fsencode(archive)
    contenders: dict[str, Callable[[], Turn]] = {
        "limit: read and decode": partial(_limit, partial(_prepare, root, None), files, workers),
        LIMIT: partial(_limit, partial(_prepare, root, _preprocess(home)), files, workers),
    }
    for engine in engines:
        contenders[f"wetread screen --engine {engine}"] = partial(_screened, archive, home, engine, workers)
    turns: dict[str, list[Turn]] = {what: [] for what in contenders}
    for _ in range(rounds):
        for what, contend in contenders.items():
            turns[what].append(contend())
    return [Measured(what, len(files), tuple(found)) for what, found in turns.items()]


def wetread(home: Path, *arguments: object) -> Any:
    """Run a command embedded, in `home`, and return the JSON that it prints."""
    return _run(home, *arguments)[0]


def _run(home: Path, *arguments: object) -> tuple[Any, Turn]:
    """Run a command; return the JSON that it prints, and what it took."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WETREAD_")}
    command = [sys.executable, "-m", "cli", *map(str, arguments), "--json"]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment | {"WETREAD_HOME": str(home)}, stdout=said)
        # Of the command and of all that it waited for, the largest: a worker process.
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        said.seek(0)
        return json.load(said), Turn(seconds, used.ru_maxrss * 1024 / 1e6)


def _screened(archive: Path, home: Path, engine: str, workers: int) -> Turn:
    """Return what a whole command took."""
    return _run(home, "screen", archive, "--engine", engine, "--workers", workers, "--force")[1]


def _preprocess(home: Path) -> Preprocess:
    """Return how the model in production wants its input."""
    return Preprocess.from_json(wetread(home, "models", "show", "production")["preprocessing"])


def _prepare(root: bytes, preprocess: Preprocess | None, relative: bytes) -> None:
    try:
        grey = decode(read_file(root, relative).data, ALL if preprocess is None else preprocess.enough)
        if preprocess is not None:
            preprocess.apply(grey.pixels)
    except Rejected:
        return


def _limit(prepare: partial[None], files: list[bytes], workers: int) -> Turn:
    """Return what `workers` processes take, once they run."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        list(pool.map(prepare, files[: workers * CHUNK], chunksize=CHUNK))
        began = time.perf_counter()
        list(pool.map(prepare, files, chunksize=CHUNK))
        return Turn(time.perf_counter() - began)


if __name__ == "__main__":
    main()
