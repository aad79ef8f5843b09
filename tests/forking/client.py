"""Stands for a program that is forked from a server: it hands over its streams, waits, and ends as that one ends.

python -I -S client.py SOCKET ARGUMENT... ; its environment and folder are the program's.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress


def main() -> None:
    """Hand over, wait, end."""
    address, *arguments = sys.argv[1:]
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    words = [os.getcwd(), str(len(arguments)), *arguments, *variables]
    asked = b"\0".join(map(os.fsencode, words))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(address)
        socket.send_fds(connection, [len(asked).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(asked)
        status = connection.recv(4)
    if not status:
        os.write(2, b"the server that programs are forked from went away\n")
        os._exit(70)
    code = os.waitstatus_to_exitcode(int.from_bytes(status, "big"))
    if code < 0:
        with suppress(OSError):  # nobody may choose what SIGKILL does
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
