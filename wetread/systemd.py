"""Telling systemd that a service is ready and lives: Type=notify and WatchdogSec= in deploy/systemd.

The protocol is one datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)); elsewhere than under systemd there
is none, and nothing is told.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


def tell_systemd(state: str) -> None:
    """Tell what this service is now; that nobody listens is no fault."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # Linux's abstract sockets
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as there:
        there.settimeout(1.0)
        there.connect(address)
        there.send(state.encode())
