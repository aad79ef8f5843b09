"""`wetread screen` against the limit, against simple scripts, served, and on a slow file server.

    python -m benchmarks.throughput [--films 1026] [--rounds 5] [--quick] [--dicom all] [--profile] [--plot FILE]

All ways run once in each round. The archive is the given one in copies that differ in a byte after their end, so that
none is answered from another's reading. The limit is `benchmarks.bare`; the served way has a Redis and a PostgreSQL
of its own on the same cores, as the tests have them. Each way's pace is that of the whole command, start-up included,
and the steady one, from its first batches to its last. With --dicom the films are DICOM of 12 bits, see
`benchmarks.dicom_archive`; with --profile the stages of each way of wetread follow, in milliseconds of a film.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.archives import altered_copies, archive_for, machine
from benchmarks.bare import bare_processes
from benchmarks.commands import batch_ends, environment, screen, worker
from benchmarks.dicom_archive import SYNTAXES, dicom_copies
from benchmarks.pace import Pace
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer

LIMIT, EMBEDDED, SERVED = "limit: bare processes", "screen, embedded", "screen, served"
SLOW, SERVED_SLOW = "screen, embedded, 20 ms an open", "screen, served, 20 ms an open"
PLAIN, PLAIN_NATIVE, TFDATA = "plain script, same steps", "plain script, native size", "tf.data, native size"
RAY = "Ray Data, native size"
SLOW_OPEN_SECONDS = 0.02

PROFILES: dict[str, list[dict[str, float]]] = {}
"""What each way of wetread said of its stages, a turn each: milliseconds of a film."""

Way = Callable[[], Pace]


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", nargs="?", type=Path, help="default: ../shared/data/archive, or else drawn phantoms")
    parser.add_argument("--films", type=int, default=1026)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64, help="films of a batch (WETREAD_BATCH_SIZE)")
    parser.add_argument("--quick", action="store_true", help="one round, without what needs TensorFlow")
    parser.add_argument("--only", action="append", help="a way's name, or its beginning; default: all")
    parser.add_argument(
        "--dicom", choices=("all", *SYNTAXES), help="as DICOM in this transfer syntax, or in each in turn"
    )
    parser.add_argument("--profile", action="store_true", help="say what each stage took, too")
    parser.add_argument("--plot", type=Path, help="a PNG of the table to write")
    given = parser.parse_args()
    workers = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place, ExitStack() as stack:
        source = archive_for(given.archive, Path(place))
        archive = Path(place) / "archive"
        if given.dicom:
            files = dicom_copies(source, archive, given.films, given.dicom)
        else:
            files = altered_copies(source, archive, given.films)
        own = {"WETREAD_BATCH_SIZE": str(given.batch)}
        ways = _ways(stack, Path(place), archive, files, workers, own, quick=given.quick)
        if given.only:
            ways = {name: way for name, way in ways.items() if name.startswith(tuple(given.only))}
        print(f"{machine()}; {len(files)} films, {workers} processes", flush=True)
        paces: dict[str, list[Pace]] = {name: [] for name in ways}
        for turn in range(1, 1 + (1 if given.quick else given.rounds)):
            for name, way in ways.items():
                paces[name].append(way())
                print(f"  {turn}. {name}: {paces[name][-1].steady:.1f} images/s steady", file=sys.stderr, flush=True)
        _print(paces)
        if given.profile:
            _print_stages()
        if given.plot:
            _draw(paces, given.plot)


def _ways(
    stack: ExitStack,
    place: Path,
    archive: Path,
    files: list[bytes],
    workers: int,
    own: dict[str, str],
    *,
    quick: bool,
) -> dict[str, Way]:
    root, home = os.fsencode(archive), own | {"WETREAD_HOME": str(place / "home")}
    slow = {"PYTHONPATH": str(Path(__file__).parent / "slow_disk"), "SLOW_OPEN_SECONDS": str(SLOW_OPEN_SECONDS)}
    served = stack.enter_context(_served(own | {"WETREAD_HOME": str(place / "served")}, workers, {}))
    served_slow = stack.enter_context(_served(own | {"WETREAD_HOME": str(place / "slow")}, workers, slow))
    ways: dict[str, Way] = {
        LIMIT: partial(bare_processes, root, files, "numpy", workers),
        EMBEDDED: partial(_screened, EMBEDDED, archive, home, workers),
        SLOW: partial(_screened, SLOW, archive, home | slow, workers),
        SERVED: partial(_screened, SERVED, archive, served, workers),
        SERVED_SLOW: partial(_screened, SERVED_SLOW, archive, served_slow, workers),
    }
    if not quick:
        ways[PLAIN] = partial(_plain, archive, "SHIPPED", "LOOP")
        ways[PLAIN_NATIVE] = partial(_plain, archive, "NATIVE", "LOOP")
        ways[TFDATA] = partial(_plain, archive, "NATIVE", "TFDATA")
        if importlib.util.find_spec("ray") is not None:
            ways[RAY] = partial(_plain, archive, "NATIVE", "RAY")
    return ways


def _screened(name: str, archive: Path, own: dict[str, str], workers: int) -> Pace:
    began = time.time()
    said = screen(archive, own, "--force", "--profile")
    stages = said["profile"].items()
    PROFILES.setdefault(name, []).append({stage: took["milliseconds_an_image"] for stage, took in stages})
    return Pace.of(time.time() - began, batch_ends(own, said["run"]), workers)


def _plain(archive: Path, size: str, way: str) -> Pace:
    began = time.time()
    command = [sys.executable, "-m", "benchmarks.plain", str(archive), size, way]
    said = subprocess.run(command, env=environment({"TF_CPP_MIN_LOG_LEVEL": "3"}), check=True, capture_output=True)
    return Pace.of(time.time() - began, [tuple(end) for end in json.loads(said.stdout)], 1)


@contextmanager
def _served(own: dict[str, str], workers: int, of_worker: dict[str, str]) -> Iterator[dict[str, str]]:
    """Keep servers and a worker running; yield the environment of a command that uses them.

    own: what else is in that. of_worker: what else is in the worker's.
    """
    redis, postgres = RedisServer().start(), PostgresServer().start()
    own = own | {
        "WETREAD_BROKER_URL": redis.url,
        "WETREAD_DATABASE_URL": postgres.create_database("bench"),
    }
    try:
        with worker(own | of_worker, workers):
            yield own
    finally:
        postgres.close()
        redis.close()


def _print(paces: dict[str, list[Pace]]) -> None:
    header = ("images/s", "whole", "steady", "least", "most", "of limit: whole", "steady")
    print("{:33}{:>8}{:>8}{:>8}{:>8}{:>17}{:>8}".format(*header))
    for name, turns in paces.items():
        steady = sorted(pace.steady for pace in turns)
        whole = median(pace.whole for pace in turns)
        ratios = [_ratio(paces, turns, part) for part in ("whole", "steady")]
        numbers = "".join(f"{number:8.1f}" for number in (whole, median(steady), steady[0], steady[-1]))
        print(f"{name:33}{numbers}{ratios[0]:>17}{ratios[1]:>8}")


def _print_stages() -> None:
    """Print the median of what each stage took, by way."""
    stages = [stage for turns in PROFILES.values() for stage in turns[0]]
    print("\n{:33}".format("milliseconds of a film") + "".join(f"{stage:>9}" for stage in dict.fromkeys(stages)))
    for name, turns in PROFILES.items():
        took = (median(turn[stage] for turn in turns) for stage in dict.fromkeys(stages))
        print(f"{name:33}" + "".join(f"{each:9.2f}" for each in took))


def _draw(paces: dict[str, list[Pace]], file: Path) -> None:
    """Draw each way's steady pace: the median, and the least and the most of its turns."""
    from matplotlib.figure import Figure

    names = list(paces)[::-1]
    steady = [sorted(pace.steady for pace in paces[name]) for name in names]
    middle = [median(turns) for turns in steady]
    figure = Figure(figsize=(8, 0.5 * len(names) + 1), layout="constrained")
    axes = figure.subplots()
    spread = [
        [m - s[0] for m, s in zip(middle, steady, strict=True)],
        [s[-1] - m for m, s in zip(middle, steady, strict=True)],
    ]
    bars = axes.barh(names, middle, xerr=spread, color=["C0" if "screen" in name else "0.7" for name in names])
    axes.bar_label(bars, [f"{value:.0f}" for value in middle], padding=12)
    axes.set_xlabel("images/s once it runs: median, least and most")
    axes.margins(x=0.12)
    figure.savefig(file, dpi=150)


def _ratio(paces: dict[str, list[Pace]], turns: list[Pace], part: str) -> str:
    """Return the median over the rounds of a way's pace by the limit's in the same round."""
    limits = paces.get(LIMIT)
    if limits is None:
        return "-"
    ratios = [getattr(a, part) / getattr(b, part) for a, b in zip(turns, limits, strict=True)]
    return f"{median(ratios):.2f}"


if __name__ == "__main__":
    main()
