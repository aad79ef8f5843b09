"""Hosts that hang: one that says nothing, one that drops packets, and name servers that do not answer."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.namespaces import in_namespaces
from tests.servers.server import Server

SILENT_NAMES = """
import fcntl, os, socket, struct, subprocess, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
server.set_inheritable(True)  # nobody reads what is sent to it
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@contextmanager
def dropping_port() -> Iterator[int]:
    """Give a port that leaves whoever connects without an answer, as a firewall does that drops packets.

    The system drops the first packet of a connection where as many wait to be accepted as may.
    """
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0.5)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                yield listener.getsockname()[1]
                return
        pytest.fail("expected a port that is full, found one that takes more and more connections")


@contextmanager
def stopped(*servers: Server) -> Iterator[None]:
    """Stop every process of each server: what is sent to it is taken, and never answered."""
    with ExitStack() as stopped:
        for server in servers:
            assert server.process is not None
            parent = psutil.Process(server.process.pid)
            _suspend(parent, stopped)  # from here on it makes no more children
            for child in parent.children(recursive=True):
                _suspend(child, stopped)
        yield


def _suspend(process: psutil.Process, until: ExitStack) -> None:
    with suppress(psutil.NoSuchProcess):
        process.suspend()
        until.callback(_resume, process)


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


def among_silent_name_servers(folder: Path) -> tuple[str, ...]:
    """Return what starts a program where the only name server does not answer; skip where that is not to be had."""
    if os.getuid():
        pytest.skip("only root has a name server of its own")
    resolv = folder / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n")
    return (*in_namespaces("--net", "--mount", "--", sys.executable, "-c", SILENT_NAMES), str(resolv))
