"""Forks `wetread` from a process that has loaded its modules: a program of its own in a hundredth of the time.

python -m tests.forking.server SOCKET ; it ends when its standard input does. What a forked one shares with a fresh one
is all but the import of modules: it has streams, folder, environment, process id, signals and end of its own.
"""

from __future__ import annotations

import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import cast

LOADED = ("cli", "screening", "producer", "worker", "wetread", "schemas")
"""Packages whose modules are loaded; those of a network's engines, which start threads, are not."""

NOT_LOADED = ("onnx", "keras", "migrations", "__main__")


def load() -> None:
    """Import every module of `LOADED`."""
    for package in LOADED:
        for found in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not any(word in found.name for word in NOT_LOADED):
                import_module(found.name)


def serve(address: str) -> list[str] | None:
    """Fork a program for each client; return its arguments in the forked one, and None in the server at its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a program is forgotten when it has told its end
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen(64)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            return None
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return attend(connection)
        connection.close()


def attend(connection: socket.socket) -> list[str]:
    """Fork the program, and return its arguments there; here tell the client how it ended, and end.

    A client that goes away, as one does that took too long, takes the program with it.
    """
    size, streams, _, _ = socket.recv_fds(connection, 4, 3)
    asked = b""
    while len(asked) < int.from_bytes(size, "big"):
        asked += connection.recv(1 << 20)
    folder, count, *words = map(os.fsdecode, asked.split(b"\0"))
    program = os.fork()
    if not program:
        connection.close()
        return become(folder, words[: int(count)], words[int(count) :], streams)
    for number in (0, 1, 2, *streams):
        os.close(number)
    ended = os.pidfd_open(program)
    if ended not in select.select([ended, connection], [], [])[0]:
        os.kill(program, signal.SIGKILL)
    status = os.waitpid(program, 0)[1]
    with suppress(OSError):  # nobody waits any more
        connection.sendall(status.to_bytes(4, "big"))
    os._exit(0)


def become(folder: str, arguments: list[str], variables: list[str], streams: list[int]) -> list[str]:
    """Take over the client's folder, environment and streams; return the arguments."""
    os.chdir(folder)
    loading = {name: value for name, value in os.environ.items() if STARTED.get(name) != value}
    os.environ.clear()
    os.environ.update(dict(variable.split("=", 1) for variable in variables) | loading)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # What Python keeps of a stream, such as whether it can be sought in, is of the server's.
    sys.stdin = sys.__stdin__ = _opened(cast(TextIOWrapper, sys.stdin), "r")
    sys.stdout = sys.__stdout__ = _opened(cast(TextIOWrapper, sys.stdout), "w")
    sys.stderr = sys.__stderr__ = _opened(cast(TextIOWrapper, sys.stderr), "w")
    return arguments


def _opened(stream: TextIOWrapper, mode: str) -> TextIOWrapper:
    """Return the stream opened anew, as Python opens its own."""
    buffering = 1 if stream.line_buffering else -1
    return open(stream.fileno(), mode, buffering, encoding=stream.encoding, errors=stream.errors, closefd=False)


STARTED = dict(os.environ)
"""What the server was started with; what else is in its environment, modules have put there."""

if __name__ == "__main__":
    load()
    given = serve(sys.argv[1])
    if given is not None:
        sys.argv = ["wetread", *given]
        runpy.run_module("cli", run_name="__main__", alter_sys=True)
