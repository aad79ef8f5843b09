"""The layout of prometheus_client's files, which wetread/metrics/multiprocess.py merges by a class that is not public.

Where a version of the package writes other files, this fails, and not the figures of a worker that serves for months.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from wetread.metrics.multiprocess import merge_ended
from wetread.metrics.work import PREFIX

KEY = json.dumps(["films", "films_total", {"state": "døne"}, "of a worker"], sort_keys=True)
"""What the package names a counter by: its metric, its sample, labels, help."""


def laid_out(values: dict[str, float]) -> bytes:
    """Return a file as the package's own words have it: bytes in use; then length, text, padding, value, moment."""
    entries = b""
    for key, value in values.items():
        text = key.encode()
        padding = b" " * (8 - (len(text) + 4) % 8)
        entries += struct.pack("i", len(text)) + text + padding + struct.pack("dd", value, 0.0)
    return (struct.pack("i4x", 8 + len(entries)) + entries).ljust(2**16, b"\0")


def test_a_file_is_written_in_this_layout(tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    written = MmapedDict(str(path))
    for key, value in ((KEY, 2.5), ("other", 1.0)):
        written.write_value(key, value, 0.0)
    written.close()
    assert path.read_bytes() == laid_out({KEY: 2.5, "other": 1.0})


def test_files_in_this_layout_are_read_and_merged_and_the_package_sums_them(tmp_path: Path) -> None:
    directory = tmp_path / f"{PREFIX}1"
    directory.mkdir()
    gone = 2**22 + 1  # above the largest number that Linux gives a process
    (directory / f"counter_{gone}.db").write_bytes(laid_out({KEY: 2.5}))
    (directory / f"counter_{gone + 1}.db").write_bytes(laid_out({KEY: 1.5}))
    living = directory / f"counter_{os.getpid()}.db"
    living.write_bytes(laid_out({KEY: 4.0}))
    assert merge_ended(str(directory)) == 2
    assert (directory / "counter_0.db").read_bytes() == laid_out({KEY: 4.0})
    (metric,) = MultiProcessCollector(None, path=str(directory)).collect()
    assert [(sample.name, sample.labels, sample.value) for sample in metric.samples] == [
        ("films_total", {"state": "døne"}, 8.0)
    ]
