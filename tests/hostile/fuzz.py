"""A mutation fuzz of the decoders, each format in processes of its own, watched from here.

    python -m tests.hostile.fuzz [COUNT [SEED [FOLDER]]]

decodes COUNT mutated files (a million by default), spread over the formats and the cores, from a seed that it
prints, and keeps what was at fault in FOLDER (by default a new one). Exit 1 when there was a fault.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.fuzz_seeds import FORMATS
from tests.hostile.mutations import mutated
from tests.hostile.rewriter import DIARY_BYTES, Diary
from tests.program import REPOSITORY

FILE_SECONDS = 10.0
"""The longest that one file may take."""
START_SECONDS = 120.0
"""The longest that a process may take to start."""
ONE_PROCESS = 25_000
"""Files that one process decodes, so that its faults of memory show within its own time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that did something else than to decode or to be rejected."""

    form: str
    number: int
    what: str


@dataclass(slots=True)
class Report:
    """What the files gave, by (format, fate), and the most memory of a process, in megabytes."""

    gave: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    megabytes: int = 0

    def of(self, form: str) -> int:
        """Return how many files of a format were tried to the end."""
        return sum(count for (its, _), count in self.gave.items() if its == form)


def fuzz(count: int, seed: int, folder: Path, processes: int = 1) -> Report:
    """Decode `count` mutated files, as many of each format; keep those at fault in `folder`."""
    report, each = Report(), count // len(FORMATS)
    ranges = [
        (form, first, min(first + ONE_PROCESS, each)) for first in range(0, each, ONE_PROCESS) for form in FORMATS
    ]
    with ThreadPoolExecutor(processes) as threads:
        for faults in threads.map(lambda part: list(_watched(*part, seed, report)), ranges):
            for fault in faults:
                report.faults.append(fault)
                (folder / f"{fault.form}-{seed}-{fault.number}").write_bytes(mutated(fault.form, fault.number, seed))
    return report


def _watched(form: str, first: int, after: int, seed: int, report: Report) -> Iterator[Fault]:
    """Have a range decoded; after a fault go on behind it, in another process."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(DIARY_BYTES))
        file.flush()
        diary = Diary(file.name)
        while first < after:
            diary.write(first - 1)
            what, number = _one_process(form, first, after, seed, diary, file.name, report)
            if what:
                yield Fault(form, number, what)
            first = number + 1


def _one_process(
    form: str, first: int, after: int, seed: int, diary: Diary, diary_path: str, report: Report
) -> tuple[str, int]:
    """Return the fault at which a process ended, or "", and the number of the last file that it tried."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.fuzz_child", form, str(first), str(after), str(seed), diary_path],
        cwd=REPOSITORY, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err, hung = _ended(child, diary, first)
    number, _ = diary.read()
    if number < first:
        raise RuntimeError(f"the process that should decode {form} did not start: {err.decode()[-2000:]}")
    if hung:
        return f"took longer than {FILE_SECONDS:g} s", number
    if child.returncode != 0:
        return f"ended its process with {child.returncode}: {err.decode('utf-8', 'replace')[-300:]}", number
    said = json.loads(out)
    report.gave.update({(form, fate): count for fate, count in said["gave"].items()})
    report.megabytes = max(report.megabytes, said["megabytes"])
    return said["fault"] or ("" if not err else f"was spoken of: {err.decode('utf-8', 'replace')[-300:]}"), said[
        "number"
    ]


def _ended(child: subprocess.Popen[bytes], diary: Diary, first: int) -> tuple[bytes, bytes, bool]:
    """Wait for the end of a process and return what it wrote; kill it when one file takes too long, and say so."""
    hung = False
    while True:
        try:
            return *child.communicate(timeout=0.5), hung
        except subprocess.TimeoutExpired:
            number, since = diary.read()
            if time.monotonic() - since > (FILE_SECONDS if number >= first else START_SECONDS):
                child.kill()
                hung = True


def main(count: str = "1000000", seed: str = "", folder: str = "") -> int:
    """Fuzz on all cores, and print what the files gave."""
    chosen = int(seed) if seed else time.time_ns() % 2**32
    sys.stdout.write(f"seed {chosen}\n")
    folder = folder or tempfile.mkdtemp(prefix="wetread-fuzz-")
    report = fuzz(int(count), chosen, Path(folder), processes=os.cpu_count() or 1)
    for (form, fate), number in sorted(report.gave.items()):
        sys.stdout.write(f"{form}\t{fate}\t{number}\n")
    for fault in report.faults:
        sys.stdout.write(f"FAULT {folder}/{fault.form}-{chosen}-{fault.number}: {fault.what}\n")
    sys.stdout.write(f"{report.gave.total()} files, {len(report.faults)} faults, {report.megabytes} MB at most\n")
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
