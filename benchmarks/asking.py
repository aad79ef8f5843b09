"""How long commands that ask the results take from the shell, start-up included, on an archive that was screened.

    python -m benchmarks.asking [ARCHIVE] [--rounds 10]

Everything is byte-compiled, as `make install` leaves it. The commands take turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.archives import archive_for, machine
from benchmarks.commands import environment, screen

QUESTIONS = (
    "--version", "results list", "results summary", "results show", "results export --format csv", "errors list",
    "status", "report",
)  # fmt: skip
DONE = (0, 3)
"""What a question ends with; a report has alarms where films failed."""


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", nargs="?", type=Path, help="default: ../shared/data/archive, or else drawn phantoms")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
        archive, home = archive_for(given.archive, Path(place)), Path(place) / "home"
        settings = {"WETREAD_HOME": str(home)}
        screen(archive, settings)
        film = next(path for path in sorted(archive.rglob("*")) if path.is_file())
        took: dict[str, list[float]] = {question: [] for question in QUESTIONS}
        print(f"{machine()}; {given.rounds} rounds\n{'seconds':36}{'least':>8}{'median':>8}{'most':>8}")
        for _ in range(given.rounds):
            for question, times in took.items():
                words = [*question.split(), *([str(film)] if question == "results show" else [])]
                times.append(_asked(words, settings))
        for question, times in took.items():
            print(f"{question:36}{min(times):8.2f}{median(times):8.2f}{max(times):8.2f}")


def _asked(words: list[str], settings: dict[str, str]) -> float:
    """Return the seconds from the call of a command to its end; raise RuntimeError when it fails."""
    began = time.perf_counter()
    ended = subprocess.run([sys.executable, "-m", "cli", *words], env=environment(settings), capture_output=True)
    took = time.perf_counter() - began
    if ended.returncode not in DONE:
        raise RuntimeError(f"wetread {' '.join(words)}: expected an answer, found {ended.stderr.decode()[-500:]}")
    return took


if __name__ == "__main__":
    main()
