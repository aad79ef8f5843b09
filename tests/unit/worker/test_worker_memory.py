"""What worker processes may take of a container's memory, and whether the kernel ended one for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import REPOSITORY
from wetread.settings import Settings
from worker import memory
from worker.memory import CGROUPS, KEPT_FREE, LEAST, memory_limit, oom_kills, set_memory_for, with_memory_for

GIB = 1024**3


def cgroup(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def of_process(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "of_process"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("process", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "4294967296\n"}, 4 * GIB),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "1073741824\n", "memory.max": "max\n"}, GIB),
        ("0::/../../pod\n", {"memory.max": "1073741824\n"}, GIB),
        ("4:memory:/m\n0::/\n", {"memory/m/memory.limit_in_bytes": "1073741824\n"}, GIB),
        ("4:memory:/m\n", {"memory/m/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("4:memory:/seen/by/the/host\n", {"memory/memory.limit_in_bytes": "1073741824\n"}, GIB),
        ("", {}, None),
    ],
)
def test_the_least_limit_of_a_cgroup_and_those_above_it_counts(
    tmp_path: Path, process: str, files: dict[str, str], limit: int | None
) -> None:
    assert memory_limit(cgroup(tmp_path / "cgroup", files), of_process(tmp_path, process)) == limit


@pytest.mark.parametrize(
    ("process", "files", "count"),
    [
        ("0::/\n", {"memory.events": "low 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n"}, 2),
        ("4:memory:/m\n", {"memory/m/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"}, 1),
        ("0::/\n", {}, 7),
    ],
)
def test_kills_for_lack_of_memory_are_those_of_the_cgroup_or_else_of_the_machine(
    tmp_path: Path, process: str, files: dict[str, str], count: int
) -> None:
    vmstat = of_process(tmp_path, "nr_free_pages 1\noom_kill 7\n").rename(tmp_path / "vmstat")
    folder = cgroup(tmp_path / "cgroup", files)
    assert oom_kills(folder, of_process(tmp_path, process), vmstat) == count
    assert oom_kills(tmp_path / "none", tmp_path / "none", tmp_path / "none") is None


def test_processes_together_stay_below_the_limit_unless_a_person_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 4 * GIB)
    for processes in (1, 2, 8):
        assert with_memory_for(Settings(), processes).memory_bytes * processes + KEPT_FREE <= 4 * GIB
    assert with_memory_for(Settings(), 1000).memory_bytes == LEAST
    assert with_memory_for(Settings(memory_bytes=GIB), 8).memory_bytes == GIB
    monkeypatch.setattr(memory, "memory_limit", lambda: 1000 * GIB)
    assert with_memory_for(Settings(), 2).memory_bytes == 4 * GIB
    monkeypatch.setattr(memory, "memory_limit", lambda: None)
    assert with_memory_for(Settings(), 2).memory_bytes == 4 * GIB


def test_processes_that_read_the_environment_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WETREAD_MEMORY_BYTES", "1")  # so that it is taken back afterwards
    monkeypatch.delenv("WETREAD_MEMORY_BYTES")
    monkeypatch.setattr(memory, "memory_limit", lambda: 2 * GIB)
    mine = set_memory_for(Settings(), 2)
    assert Settings().memory_bytes == mine.memory_bytes == (2 * GIB - KEPT_FREE) // 2


@pytest.fixture
def real_cgroup() -> Iterator[Path]:
    """A memory cgroup of our own with a limit of 64 MiB."""
    for mount, limit in ((CGROUPS / "memory", "memory.limit_in_bytes"), (CGROUPS, "memory.max")):
        folder = mount / f"wetread-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / limit).write_text(str(64 * 1024**2))
        except OSError:
            folder.rmdir()
            continue
        yield folder
        folder.rmdir()
        return
    pytest.skip("no memory cgroup can be made here")


def test_a_real_kill_is_counted_and_a_real_limit_is_seen(real_cgroup: Path) -> None:
    say = "from worker.memory import *; print(memory_limit(), oom_kills(), flush=True)"
    script = f"import subprocess, sys\n{say}\nsubprocess.run([sys.executable, '-c', 'b = b\"x\" * 2**28'])\n{say}"
    into = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
    ended = subprocess.run(
        ["sh", "-c", into, str(real_cgroup), sys.executable, "-c", script],
        cwd=REPOSITORY, capture_output=True, text=True,
    )  # fmt: skip
    if ended.returncode:
        pytest.skip(f"the kernel chose another process: {ended.stderr}")
    before, after = (list(map(int, line.split())) for line in ended.stdout.splitlines())
    assert before[0] == 64 * 1024**2
    assert after[1] == before[1] + 1
