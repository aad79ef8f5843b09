"""Reads how much memory a process holds, or held at most, from the kernel's account."""

from __future__ import annotations

from pathlib import Path


def megabytes(line: str, process: int | str = "self") -> float:
    """Return what a process holds (VmRSS), or held at most (VmHWM); 0 when it has ended.

    Not getrusage's, which counts what its parent held before it began.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next((int(each.split()[1]) * 1024 / 1e6 for each in status.splitlines() if each.startswith(f"{line}:")), 0.0)
