"""What starts `wetread` forked from a server of the tests' own, where a fresh process would be no other."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

CLIENT = Path(__file__).with_name("client.py")
START_SECONDS = 250.0


def forked_command(env: dict[str, str]) -> list[str] | None:
    """Return what stands for `python -m cli`; None where the environment has what Python or a library read at start.

    env: what the program is to have. All that it may have of its own are wetread's settings.
    """
    if "PYTHONPATH" not in env or not hasattr(os, "pidfd_open"):
        return None
    address, started = _server(env["PYTHONPATH"])
    return [sys.executable, "-I", "-S", str(CLIENT), address] if _kept(env) == started else None


def _kept(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not name.startswith(("WETREAD_", "PYTEST_"))}


@cache
def _server(path: str) -> tuple[str, dict[str, str]]:
    """Start the server of this process; return its address, and the environment that it has."""
    one_thread = {"OPENBLAS_NUM_THREADS": "1"}  # a fork keeps no other
    env = _kept(dict(os.environ)) | {"PYTHONPATH": path} | one_thread
    folder = Path(tempfile.mkdtemp(prefix="wetread-forking-"))
    address, log = folder / "socket", folder / "log.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking.server", str(address)],
            env=env, cwd=path, stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    atexit.register(_end, process, folder)
    until = time.monotonic() + START_SECONDS
    while not address.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(
                f"expected a server that programs are forked from, found that it said: {log.read_text()}"
            )
        time.sleep(0.02)
    return str(address), env


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
