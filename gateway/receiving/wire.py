"""A peer's connection as PDUs: whole ones alone, of bounded size, each within a bounded time."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from gateway.receiving.limits import PDU_BYTES, SHORT_PDU_BYTES, TOLERANCE_BYTES, Limits
from gateway.receiving.pdu import HEAD, Kind
from schemas.errors import PeerFault, PeerGone


class Wire:
    """Reads and writes the PDUs of one association, from one thread. The buffer is taken anew by each PDU."""

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._buffer = memoryview(bytearray(PDU_BYTES + TOLERANCE_BYTES))
        self._head = memoryview(bytearray(HEAD.size))

    def read(self, until: float) -> tuple[int, memoryview]:
        """Wait for a PDU until then (of time.monotonic()); return its type and what follows its head.

        Raises PeerFault for one that is too long, of an unknown type, or that takes too long, and where nothing came;
        PeerGone at the end of the connection.
        """
        self._fill(self._head[:1], until, "nothing")
        until = time.monotonic() + self._limits.pdu_seconds
        self._fill(self._head[1:], until, "a part of a PDU")
        kind, length = HEAD.unpack(self._head)
        most = PDU_BYTES + TOLERANCE_BYTES if kind == Kind.DATA else SHORT_PDU_BYTES
        if kind not in (Kind.DATA, Kind.RELEASE_REQUEST, Kind.ABORT):
            raise PeerFault(f"expected a P-DATA-TF, a release or an abort, found a PDU of type {kind}")
        if length > most:
            raise PeerFault(f"expected a PDU of at most {most:,} bytes, found one that claims {length:,}")
        body = self._buffer[:length]
        self._fill(body, until, "a part of a PDU")
        return kind, body

    def write(self, data: bytes) -> None:
        """Send all of `data`; raise PeerGone where that is not possible within the time of a PDU."""
        try:
            self._connection.settimeout(self._limits.pdu_seconds)
            self._connection.sendall(data)
        except OSError as error:
            raise PeerGone("expected a peer that takes an answer, found none") from error

    def end(self, seconds: float = 1.0) -> None:
        """Say that nothing more is sent, let the peer read what was, and close."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv_into(self._buffer):
                    break
        with suppress(OSError):
            self._connection.close()

    def wake(self) -> None:
        """Have a read that another thread waits in end with PeerGone."""
        with suppress(OSError):
            # Not that of TLS: it would forget its keys, and that thread go on to read what is enciphered as a film.
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)

    def _fill(self, view: memoryview, until: float, found: str) -> None:
        at = 0
        try:
            while at < len(view):
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._connection.settimeout(left)
                count = self._connection.recv_into(view[at:])
                if not count:
                    raise PeerGone(f"expected a peer that goes on, found the end of its connection after {found}")
                at += count
        except TimeoutError as error:
            raise PeerFault(f"expected a peer that goes on, found {found} within its time") from error
        except OSError as error:
            raise PeerGone(f"expected a peer that goes on, found a broken connection: {error.strerror}") from error
