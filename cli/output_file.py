"""Opens the file that `--output` names, written whole or not at all, or - for standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from wetread.whole_file import whole_file


@contextmanager
def output_file(path: str) -> Iterator[IO[bytes]]:
    """Give the file to write to, readable by its maker alone; raises what `whole_file` raises."""
    if path != "-":
        with whole_file(path) as file:
            yield file
        return
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
