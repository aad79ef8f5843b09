"""Write one of two films over the other, in place, again and again; says when it is in the middle of a write.

    python -m tests.hostile.rewriter FILE DIARY TIMES ONE OTHER

DIARY, a file of DIARY_BYTES that both sides map, holds a number that is odd during a write, and when that began.
"""

from __future__ import annotations

import mmap
import os
import random
import struct
import sys
import time
from pathlib import Path

_ENTRY = struct.Struct("<qd")
DIARY_BYTES = _ENTRY.size
_PAUSES = (0.0, 0.0002, 0.001, 0.001, 0.025)
"""Seconds between two writes: some too short to read the file in, some longer than it is waited for."""


class Diary:
    """The diary, open for either side."""

    def __init__(self, path: str) -> None:
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), DIARY_BYTES)

    def write(self, number: int) -> None:
        self._map[:] = _ENTRY.pack(number, time.monotonic())

    def read(self) -> tuple[int, float]:
        number, began = _ENTRY.unpack(self._map[:])
        return number, began


def main(path: str, diary_path: str, times: str, *films: str) -> None:
    diary, pauses = Diary(diary_path), random.Random(0)  # noqa: S311  pauses are no secrets
    contents = [Path(film).read_bytes() for film in films]
    descriptor = os.open(path, os.O_WRONLY)
    for turn in range(int(times)):
        diary.write(2 * turn + 1)
        os.pwrite(descriptor, contents[turn % 2], 0)
        diary.write(2 * turn + 2)
        time.sleep(pauses.choice(_PAUSES))


if __name__ == "__main__":
    main(*sys.argv[1:])
