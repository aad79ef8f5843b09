"""How long a start takes: a worker process until it can read, and `wetread screen` until its first batch is settled.

    python -m benchmarks.start [ARCHIVE] [--rounds 10]

Everything is byte-compiled, as `make install` leaves it. A process is started as the embedded pool starts it. The
command is told by its rows: a batch is settled as a whole, and the first holds 16 films.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.archives import archive_for, machine
from benchmarks.commands import batch_ends, screen
from wetread.models.shipped import SHIPPED
from wetread.settings import Settings
from worker.child import ChildTask, Ready, serve_run


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", nargs="?", type=Path, help="default: ../shared/data/archive, or else drawn phantoms")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
        archive, home = archive_for(given.archive, Path(place)), Path(place) / "home"
        print(f"{machine()}; {given.rounds} rounds\n{'seconds':36}{'least':>8}{'median':>8}{'most':>8}")
        starts: dict[str, Callable[[], float]] = {
            "a process, its engine ready": partial(_process, Settings(home=home)),
            "screen, its first batch settled": partial(_command, archive, home),
        }
        screen(archive, {"WETREAD_HOME": str(home)})  # the database is made, and files are in the page cache
        turns: dict[str, list[float]] = {what: [] for what in starts}
        for _ in range(given.rounds):
            for what, start in starts.items():
                turns[what].append(start())
        for what, seconds in turns.items():
            print(f"{what:36}{min(seconds):8.2f}{median(seconds):8.2f}{max(seconds):8.2f}")


def _process(settings: Settings) -> float:
    """Return the seconds until a worker process says that it has loaded the model; of no run, it ends then."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    task = ChildTask(0, SHIPPED["chest-cnn"], "numpy", settings)
    began = time.perf_counter()
    process = context.Process(target=serve_run, args=(task, there))
    process.start()
    said = here.recv()
    seconds = time.perf_counter() - began
    process.join()
    assert isinstance(said, Ready), said  # noqa: S101 - the time of a failure would say nothing
    return seconds


def _command(archive: Path, home: Path) -> float:
    """Return the seconds from the command to the end of its first batch."""
    own, began = {"WETREAD_HOME": str(home)}, time.time()
    run = screen(archive, own, "--force")["run"]
    return min(at for at, _ in batch_ends(own, run)) - began


if __name__ == "__main__":
    main()
