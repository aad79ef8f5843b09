"""Where `make chaos` goes on after it was stopped: what has passed with the program as it is now is not run again.

The full form takes hours. Each test that passed adds a line to the record, with a digest of the program's sources; the
next `make chaos` leaves those out. A change of the program makes all of them due again.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import pytest

from tests.chaos.scale import FULL
from tests.chaos.table import add_line, read_lines

ROOT = Path(__file__).parents[2]

PROGRAM = ("cli", "gateway", "screening", "producer", "worker", "wetread", "schemas")
"""The packages that a screening runs."""


@cache
def program_digest() -> str:
    """Return a digest of the program's sources."""
    digest = hashlib.sha256()
    for package in PROGRAM:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def still_due(items: list[pytest.Item], record: Path, program: str) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return (tests to run, tests that have passed with this program)."""
    passed = {line["passed"] for line in read_lines(record) if line.get("program") == program}
    due = [item for item in items if item.nodeid not in passed]
    return due, [item for item in items if item.nodeid in passed]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed, in the full form alone."""
    if FULL and (record := os.environ.get("CHAOS_RECORD")):
        items[:], done = still_due(items, Path(record), program_digest())
        config.hook.pytest_deselected(items=done)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down a test that passed."""
    if FULL and report.when == "call" and report.passed:
        add_line({"passed": report.nodeid, "program": program_digest()})
