"""What starts `wetread` forked from a server of the tests' own, where a fresh process would be no other."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLIENT = Path(__file__).with_name("client.py")
REPOSITORY = str(Path(__file__).parents[2])
START_SECONDS = 250.0
MOST_SERVERS = 2
"""Each holds the memory of a program; one more takes the place of the oldest."""

_SERVERS: dict[tuple[tuple[str, str], ...], tuple[subprocess.Popen[bytes], Path]] = {}


def forked_command(env: dict[str, str]) -> list[str] | None:
    """Return what stands for `python -m cli`; None where the environment has what Python or a library read at start.

    env: what the program is to have. All that it may have of its own are wetread's settings. What libraries have put
    into this process's environment since, as TensorFlow does, a server of that environment has too.
    """
    if env.get("PYTHONPATH") != REPOSITORY or not hasattr(os, "pidfd_open"):
        return None
    here = _kept(dict(os.environ)) | {"PYTHONPATH": env["PYTHONPATH"], "OPENBLAS_NUM_THREADS": "1"}
    if _kept(env) != here:
        return None
    return [sys.executable, "-I", "-S", str(CLIENT), _server(here)]


def _kept(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not name.startswith(("WETREAD_", "PYTEST_"))}


def _server(env: dict[str, str]) -> str:
    """Return the address of the server that has this environment, started where there is none."""
    key = tuple(sorted(env.items()))
    if key not in _SERVERS:
        while len(_SERVERS) >= MOST_SERVERS:
            _end(*_SERVERS.pop(next(iter(_SERVERS))))
        _SERVERS[key] = _started(env)
    return str(_SERVERS[key][1] / "socket")


def _started(env: dict[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
    folder = Path(tempfile.mkdtemp(prefix="wetread-forking-"))
    address, log = folder / "socket", folder / "log.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking.server", str(address)],
            env=env, cwd=env["PYTHONPATH"], stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + START_SECONDS
    while not address.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(
                f"expected a server that programs are forked from, found that it said: {log.read_text()}"
            )
        time.sleep(0.02)
    return process, folder


@atexit.register
def _end_all() -> None:
    for server in _SERVERS.values():
        _end(*server)


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
