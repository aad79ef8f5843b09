"""A disk that fills while the database is written: a clear error, and the same command once there is space."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.accounting import assert_no_batch_half_written, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import times
from tests.chaos.table import record
from tests.program import Program, with_model

FILMS = times(5_000, 600)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("full-disk") / "archive"
    draw_films(directory, FILMS, seed=10)
    return directory


def database_bytes(program: Program) -> int:
    return (program.home / "results.db").stat().st_size


def screen(program: Program, films: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Screen; limit: bytes to which a file may grow."""

    def keep_small() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "cli", "screen", str(films), "--workers", "2"], env=program.env(), timeout=2400,
        capture_output=True, text=True, preexec_fn=keep_small, check=False,
    )  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system, or make it another size; skipped where mounting is not allowed."""
    directory = tmp_path / "disk"
    directory.mkdir()

    def sized(size: str) -> Path:
        again = ["-o", f"remount,size={size}"] if os.path.ismount(directory) else ["-o", f"size={size}"]
        mounted = subprocess.run(["mount", "-t", "tmpfs", *again, "tmpfs", str(directory)], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting is not allowed here; the other test limits the size of files instead")
        return directory

    yield sized
    if os.path.ismount(directory):
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def assert_said_clearly(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 1, ended.stderr
    assert "cannot write" in ended.stderr
    assert "make space, then run the same command" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.timeout(3600)
def test_a_file_that_may_not_grow_ends_the_screening_clearly(tmp_path: Path, films: Path) -> None:
    program, began = with_model(tmp_path / "home"), time.monotonic()
    for share in (8, 2)[times(0, 1) :]:  # in the walk's first transactions, and among the readings
        limit = database_bytes(program) + FILMS * 400 // share
        ended = screen(program, films, limit)
        assert_said_clearly(ended)
        assert database_bytes(program) <= limit
        assert_no_batch_half_written(program)
    assert screen(program, films).returncode == 0
    accounts = assert_nothing_lost(program, films)
    assert accounts.runs == 1
    record(
        "10", "embedded", "the database's files may not grow (RLIMIT_FSIZE)",
        f"exit 1 and a line that says so; then the same command: {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip


@pytest.mark.timeout(3600)
def test_a_full_disk_ends_the_screening_clearly(tmp_path: Path, films: Path, small_disk: Callable[[str], Path]) -> None:
    began = time.monotonic()
    program = with_model(small_disk("100m") / "home")
    used = sum(path.stat().st_blocks * 512 for path in program.home.rglob("*"))
    small_disk(f"{(used + FILMS * 400) // 1024}k")
    assert_said_clearly(screen(program, films))
    assert_no_batch_half_written(program)
    small_disk("1g")
    assert screen(program, films).returncode == 0
    accounts = assert_nothing_lost(program, films)
    assert accounts.runs == 1
    record(
        "10", "embedded", "a full disk (a small tmpfs) under the database",
        f"exit 1 and a line that says so; then the same command: {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip
