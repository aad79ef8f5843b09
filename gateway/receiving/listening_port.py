"""The port that peers call: on loopback unless told otherwise, and beyond it by TLS or by a word."""

from __future__ import annotations

import ipaddress
import socket

from schemas.errors import UsageError

BACKLOG = 128


def opened_port(host: str, port: int, *, tls: bool, plain: bool) -> socket.socket:
    """Return a socket that listens; raise UsageError where it cannot be had, or would be open without protection."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(f"expected an address to listen on, found {host!r}: {error.strerror}") from error
    if not tls and not plain and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise UsageError(
            f"expected TLS beyond this machine, found none for {host}: films name patients. Give --tls-certificate, "
            "--tls-key and --tls-authority, or say --plain where the network itself is protected"
        )
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"expected a free port, found that {host}:{port} cannot be opened: {error.strerror}; choose another by "
            "--port, and another address by --host"
        ) from error
    return listening
