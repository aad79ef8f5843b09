"""Run a program as one whose permissions count, and write how much memory the largest of its processes took.

    python ordinary_user.py REPORT PROGRAM ARGUMENT...

REPORT gets the kilobytes that the largest process held in memory at once. Whoever is root opens what is locked; so
the capabilities that let root do it are given up first.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys

_DROP_FROM_BOUNDING_SET = 24
_READ_AND_WRITE_ANY, _SEARCH_ANY = 1, 2


def main() -> int:
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_READ_AND_WRITE_ANY, _SEARCH_ANY):
            libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    code = subprocess.call(sys.argv[2:])
    with open(sys.argv[1], "w") as report:
        report.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
    return code


if __name__ == "__main__":
    sys.exit(main())
