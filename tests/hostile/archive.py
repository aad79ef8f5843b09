"""An archive of all the hostile cases among good films, and what the real command line makes of it.

`python -m tests.hostile.archive` screens it and writes the table of what each case gave into docs/reliability.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.films import draw_films
from tests.hostile import dicom_files, file_system, jpeg_files, names, not_pictures, png_files, tiff_files
from tests.hostile.cases import PASSED_OVER, Case
from tests.hostile.file_system import CANARY, OUTSIDE
from tests.hostile.table import write_table
from tests.hostile.watch import watching
from tests.program import Program
from tests.tiny_model import publish_tiny_model
from wetread.path_text import path_text

FAMILIES: dict[str, dict[str, Case]] = {
    "no picture": not_pictures.CASES,
    "JPEG": jpeg_files.CASES,
    "PNG": png_files.CASES,
    "TIFF": tiff_files.CASES,
    "DICOM": dicom_files.CASES,
    "name": names.CASES,
    "file system": file_system.CASES,
}
GOOD_FILMS = 100


class OrdinaryProgram(Program):
    """`wetread` run as somebody whose permissions count; remembers the memory of the largest process yet."""

    largest_megabytes: float = 0.0

    def run(
        self, *arguments: object, timeout: float | None = 240.0, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        report = self.home / "memory"
        wrapper = str(Path(__file__).with_name("ordinary_user.py"))
        ended = subprocess.run(
            [sys.executable, wrapper, str(report), sys.executable, "-m", "cli", *map(str, arguments)],
            env=self.env(), input=given, capture_output=True, text=True, timeout=timeout, check=False, cwd=self.home,
        )  # fmt: skip
        self.largest_megabytes = max(self.largest_megabytes, int(report.read_text()) / 1024)
        return ended


@dataclass(frozen=True, slots=True)
class Screened:
    """What became of the archive.

    first, second: how `screen` ended, with a failure rate to keep to, and `runs resume` after files were changed
    and tried again. rows: `results list`, by path relative to the archive. passed_over: what the walk counted.
    opened: what of the watched was opened.
    """

    archive: Path
    program: OrdinaryProgram
    cases: dict[str, Case]
    first: subprocess.CompletedProcess[str]
    second: subprocess.CompletedProcess[str]
    opened: set[bytes]
    rows: dict[str, dict[str, Any]] = field(repr=False)
    passed_over: Counter[str] = field(default_factory=Counter)

    def gave(self, path: str) -> str:
        """Return what the case at `path` gave, as `Case.made_of` says it."""
        if self.cases[path].state == PASSED_OVER:
            kind = self.cases[path].reason
            wanted = sum(case.reason == kind for case in self.cases.values() if case.state == PASSED_OVER)
            seen = any(name == path or name.startswith(path + "/") for name in self.rows)
            return f"{PASSED_OVER}: {kind}" if self.passed_over[kind] == wanted and not seen else "not as expected"
        row = self.rows.get(path_text(os.fsencode(path)), {"state": "missing", "reason": None})
        return f"{row['state']}: {row['reason']}" if row["reason"] else str(row["state"])


def paths() -> dict[str, Case]:
    """Return all cases by their path in the archive."""
    return {f"{family}/{name}": case for family, cases in FAMILIES.items() for name, case in cases.items()}


def make_archive(directory: Path) -> dict[str, Case]:
    """Make `archive` with all cases, and OUTSIDE beside it; return the cases that this system lets us make."""
    outside = directory / os.fsdecode(OUTSIDE)
    outside.mkdir()
    (outside / os.fsdecode(CANARY)).write_bytes(not_pictures.good_png())
    archive = directory / "archive"
    draw_films(archive / "good", GOOD_FILMS, seed=1)
    made = {}
    for name, case in paths().items():
        path = os.path.join(os.fsencode(archive), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            case.make(path)
        except PermissionError:  # only root makes devices
            continue
        made[name] = case
    return made


def screened(directory: Path) -> Screened:
    """Make the archive in `directory` and screen it, as a person would, from the first word to the last."""
    cases = make_archive(directory)
    archive = directory / "archive"
    program = OrdinaryProgram(directory / "home")
    publish_tiny_model(None, program.home)
    outside = os.path.join(os.fsencode(directory), OUTSIDE)
    special = [path for path, case in cases.items() if case.reason == file_system.SPECIAL]
    try:
        with watching([outside, os.path.join(outside, CANARY), *_in(archive, special)]) as watch:
            first = program.run("screen", archive, "--workers", "1", "--max-failure-rate", "0.1")
            opened = watch.opened()
        program.run("errors", "retry", "--reason", "undecodable")
        _change_meanwhile(archive, cases)
        special += [
            path for path in ("file system/meanwhile/fifo.png", "file system/meanwhile/device.png") if path in cases
        ]
        with watching([outside, os.path.join(outside, CANARY), *_in(archive, special)]) as watch:
            second = program.run("runs", "resume", "1")
            opened |= watch.opened()
    finally:
        _unlock(archive)
    rows = {
        os.path.relpath(row["path"], path_text(os.fsencode(archive))): row for row in program.lines("results", "list")
    }
    return Screened(archive, program, cases, first, second, opened, rows, Counter(dict(_passed_over(first.stderr))))


def _in(archive: Path, names: list[str]) -> Iterator[bytes]:
    for name in names:
        yield os.path.join(os.fsencode(archive), os.fsencode(name))


def _change_meanwhile(archive: Path, cases: dict[str, Case]) -> None:
    for name, case in list(cases.items()):
        if case.later is not None:
            try:
                case.later(os.path.join(os.fsencode(archive), os.fsencode(name)))
            except PermissionError:
                del cases[name]


def _unlock(archive: Path) -> None:
    """Let whoever made the archive delete it."""
    for name in ("file system/locked", "file system/closed"):
        (archive / name).chmod(0o700)


def _passed_over(said: str) -> Iterator[tuple[str, int]]:
    for line in said.splitlines():
        if line.startswith("passed over: "):
            count, _, kind = line.removeprefix("passed over: ").partition(" ")
            yield kind, int(count)


def main() -> int:
    """Screen the archive and write what each case gave into the documentation; say what is not as expected."""
    with tempfile.TemporaryDirectory() as directory:
        result = screened(Path(directory))
        gave = {path: result.gave(path) if path in result.cases else case.made_of for path, case in paths().items()}
    for path, case in paths().items():
        if gave[path] != case.made_of:
            sys.stderr.write(f"{path!r}: expected {case.made_of}, found {gave[path]}\n")
    write_table((path.partition("/")[0], case.what, gave[path]) for path, case in paths().items())
    sys.stderr.write(f"largest process: {result.program.largest_megabytes:.0f} MB\n")
    return int(any(gave[path] != case.made_of for path, case in paths().items()))


if __name__ == "__main__":
    sys.exit(main())
