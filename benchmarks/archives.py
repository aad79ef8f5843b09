"""The archive and the machine that a benchmark runs on."""

from __future__ import annotations

import itertools
import os
import platform
from pathlib import Path

import psutil

from trainer.phantoms.archive import draw_archive

REAL_ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "archive"


def archive_for(given: Path | None, place: Path) -> Path:
    """Return the archive that was asked for, or the sample archive, or phantoms drawn in `place` where that is not."""
    if given is not None:
        return given
    if not REAL_ARCHIVE.is_dir():
        draw_archive(place / "drawn", patients=200, seed=0)
        return place / "drawn"
    return REAL_ARCHIVE


def altered_copies(source: Path, target: Path, count: int) -> list[bytes]:
    """Write `count` films, those of `source` over and over, each with other bytes after its end; return their paths."""
    films = [path for path in sorted(source.rglob("*")) if path.is_file() and path.suffix != ".csv"]
    paths = []
    for number, film in zip(range(count), itertools.cycle(films), strict=False):
        path = target / str(number // len(films)) / film.relative_to(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film.read_bytes() + b"copy %d" % number)
        paths.append(os.fsencode(path.relative_to(target)))
    return paths


def machine() -> str:
    """Return what this machine is, in a line."""
    memory = psutil.virtual_memory().total / 1024**3
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"
