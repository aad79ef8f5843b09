"""A slow file server, for a benchmark: each open of a file or directory of an archive waits SLOW_OPEN_SECONDS.

Python imports it as it starts where this folder is in PYTHONPATH. Only worker processes are slowed, not the walk:
reading ahead is what is measured. What is below an archive's root is opened relative
to a directory; the root itself is the only directory that is opened by a path.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

_SECONDS = float(os.environ.get("SLOW_OPEN_SECONDS", "0"))
_open = os.open


def _slow_open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if dir_fd is not None or flags & os.O_DIRECTORY:
        time.sleep(_SECONDS)
    return _open(path, flags, mode, dir_fd=dir_fd)


if _SECONDS and {"--multiprocessing-fork", "--billiard-fork"}.intersection(sys.orig_argv):
    os.open = _slow_open
