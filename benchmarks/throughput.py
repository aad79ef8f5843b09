"""Images a second of an archive: what the disk and the decoder allow, and what `wetread screen` makes of it.

The limits are measured with as many processes as the screening has, over the same files and with its own functions
for reading, decoding and preprocessing, and without a network or a database. A screening is a whole command: the
start of its processes and the loading of its model are in the figure, as they are for its user.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from schemas.errors import Rejected
from wetread.imaging.decode import decode
from wetread.imaging.files import read_file
from wetread.imaging.preprocess import Preprocess

LIMIT = "limit: and preprocess"
"""The row that screenings are compared with."""

CHUNK = 16
"""Files handed to a process at a time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table: what was measured, over how many images, and the seconds of each round."""

    what: str
    images: int
    seconds: tuple[float, ...]

    @property
    def images_per_second(self) -> tuple[float, float, float]:
        """Images a second: least, median, most."""
        rates = sorted(self.images / seconds for seconds in self.seconds)
        return rates[0], median(rates), rates[-1]


def measure(archive: Path, home: Path, *, engines: list[str], workers: int, rounds: int) -> list[Measured]:
    """Return the limits, then each engine's screening of `archive`, measured in turns, `rounds` times each."""
    files = [os.fsencode(path.relative_to(archive)) for path in sorted(archive.rglob("*")) if path.is_file()]
    root = os.fsencode(archive)
    contenders: dict[str, Callable[[], float]] = {
        "limit: read and decode": partial(_limit, partial(_prepare, root, None), files, workers),
        LIMIT: partial(_limit, partial(_prepare, root, _preprocess(home)), files, workers),
    }
    for engine in engines:
        contenders[f"wetread screen --engine {engine}"] = partial(_screened, archive, home, engine, workers)
    seconds: dict[str, list[float]] = {what: [] for what in contenders}
    for _ in range(rounds):
        for what, contend in contenders.items():
            seconds[what].append(contend())
    return [Measured(what, len(files), tuple(found)) for what, found in seconds.items()]


def wetread(home: Path, *arguments: object) -> Any:
    """Run a command embedded, in `home`, and return the JSON that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WETREAD_")}
    ended = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments), "--json"],
        env=environment | {"WETREAD_HOME": str(home)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(ended.stdout)


def _screened(archive: Path, home: Path, engine: str, workers: int) -> float:
    """Return the seconds of a whole command."""
    began = time.perf_counter()
    wetread(home, "screen", archive, "--engine", engine, "--workers", workers, "--force")
    return time.perf_counter() - began


def _preprocess(home: Path) -> Preprocess:
    """Return how the model in production wants its input."""
    return Preprocess.from_json(wetread(home, "models", "show", "production")["preprocessing"])


def _prepare(root: bytes, preprocess: Preprocess | None, relative: bytes) -> None:
    try:
        grey = decode(read_file(root, relative).data)
        if preprocess is not None:
            preprocess.apply(grey.pixels)
    except Rejected:
        return


def _limit(prepare: partial[None], files: list[bytes], workers: int) -> float:
    """Return the seconds that `workers` processes take, once they run."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        list(pool.map(prepare, files[: workers * CHUNK], chunksize=CHUNK))
        began = time.perf_counter()
        list(pool.map(prepare, files, chunksize=CHUNK))
        return time.perf_counter() - began
