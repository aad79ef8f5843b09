"""Many workers and readers on one SQLite file: nobody is told that the database is locked."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.scale import times
from tests.chaos.table import record
from tests.program import REPOSITORY, Program

SECONDS = times(600, 5)
READERS = times(4, 2)


@pytest.mark.timeout(3600)
def test_workers_and_readers_share_one_file_and_none_finds_it_locked(embedded: Program, drawn: Path) -> None:
    began = time.monotonic()
    embedded.environment["WETREAD_BATCH_SIZE"] = "8"  # many small transactions
    readers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.reader", str(SECONDS)], cwd=REPOSITORY, env=embedded.env(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(READERS)
    ]  # fmt: skip
    screenings = 0
    while screenings == 0 or time.monotonic() - began < SECONDS:
        screened = embedded.run("screen", drawn, "--workers", times(8, 4), "--force", "--json", timeout=3000)
        assert (screened.returncode, "locked" in screened.stderr) == (0, False), screened.stderr
        screenings += 1
    reads, longest = 0, 0.0
    for reader in readers:
        out, err = reader.communicate(timeout=120)
        assert reader.returncode == 0, err
        reads, longest = reads + int(out.split()[0]), max(longest, float(out.split()[1]))
    accounts = assert_nothing_lost(embedded, drawn)
    assert accounts.runs == screenings
    record(
        "11", "embedded",
        f"{times(8, 4)} workers and {READERS} readers on one SQLite file for {time.monotonic() - began:.0f} s",
        f"{screenings * accounts.done} readings in batches of 8 and {reads} reads, the longest {longest:.1f} s; "
        "never \"database is locked\"",
        time.monotonic() - began,
    )  # fmt: skip
