"""Programs in namespaces of their own: another table of processes, another clock, other mounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

PYTHON = (sys.executable, "-c")
"""A Python that is given a program as its next argument."""


def in_namespaces(*arguments: str) -> list[str]:
    """Return the command `unshare ARGUMENTS`; skip the test where that is not to be had, and fail it under CI for root.

    Mounts that it makes are seen by nobody else.
    """
    tried = None
    if (program := shutil.which("unshare")) is not None:
        flags = arguments[: arguments.index("--")]
        tried = subprocess.run([program, *flags, "--", "true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return [program, *arguments]
    why = "unshare is not installed" if tried is None else tried.stderr.strip()
    message = f"this test needs namespaces of its own, which are not to be had here: {why}"
    if os.environ.get("CI") == "true" and os.getuid() == 0 and tried is not None and "permitted" not in why:
        pytest.fail(message)
    pytest.skip(message)
