"""What processes counted that have ended is kept, in one file, and not one file a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from wetread.metrics.multiprocess import Together, merge_ended
from wetread.metrics.work import PREFIX


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / f"{PREFIX}x"
    made.mkdir()
    return made


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def count(directory: Path, pid: int, films: float, seconds: tuple[float, ...] = ()) -> None:
    """Write what a process with this id counts, as prometheus_client's processes do."""
    counter = MmapedDict(str(directory / f"counter_{pid}.db"))
    counter.write_value(mmap_key("films", "films_total", ("state",), ("done",), "Films."), films, 0.0)
    counter.close()
    histogram = MmapedDict(str(directory / f"histogram_{pid}.db"))
    for bound, inside in (("1.0", [one for one in seconds if one <= 1]), ("+Inf", [one for one in seconds if one > 1])):
        histogram.write_value(mmap_key("took", "took_bucket", ("le",), (bound,), "Took."), float(len(inside)), 0.0)
    histogram.write_value(mmap_key("took", "took_sum", (), (), "Took."), sum(seconds), 0.0)
    histogram.close()


def counted(directory: Path) -> dict[str, float]:
    return {
        sample.name + sample.labels.get("le", ""): sample.value
        for metric in Together(str(directory)).collect()
        for sample in metric.samples
    }


def test_counts_stay_when_their_processes_end_and_files_do_not(directory: Path) -> None:
    count(directory, os.getpid(), 1.0, (0.5,))
    for films in (10.0, 100.0):
        count(directory, ended_process(), films, (0.5, 7.0))
    for _ in range(2):
        assert counted(directory) == {
            "films_total": 111.0, "took_bucket1.0": 3.0, "took_bucket+Inf": 5.0, "took_count": 5.0, "took_sum": 15.5
        }  # fmt: skip
        assert {file.name for file in directory.iterdir()} == {
            f"{kind}_{pid}.db" for kind in ("counter", "histogram") for pid in (0, os.getpid())
        }
    count(directory, ended_process(), 1000.0)
    assert counted(directory)["films_total"] == 1111.0


def test_a_directory_that_somebody_else_named_is_left_as_it_is(tmp_path: Path) -> None:
    count(tmp_path, ended_process(), 5.0)
    assert merge_ended(str(tmp_path)) == 0
    assert counted(tmp_path)["films_total"] == 5.0
    assert len(list(tmp_path.iterdir())) == 2
