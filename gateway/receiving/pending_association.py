"""A connection whose A-ASSOCIATE-RQ has not come whole yet. It waits here, not in a thread, and costs what it sent."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto

from gateway.receiving.limits import REQUEST_BYTES
from gateway.receiving.pdu import HEAD, Kind, Rejection, abort_pdu, reject_pdu
from schemas.errors import PeerFault, PeerGone

_DRAINED_AT_ONCE = 4096


class Wants(Enum):
    """What a connection waits for."""

    READ = auto()
    WRITE = auto()
    ASKED = auto()
    """Nothing: its request is whole."""


@dataclass(slots=True)
class Asking:
    """One connection. until: when it is closed, of time.monotonic(). request: what followed the head, so far."""

    connection: socket.socket
    address: str
    until: float
    request: bytearray = field(default_factory=bytearray)
    leaving: bool = False
    _handshaken: bool = False
    _length: int | None = None

    def go_on(self) -> Wants:
        """Read what has come; raise PeerFault for what no request begins like, PeerGone at the connection's end."""
        try:
            if isinstance(self.connection, ssl.SSLSocket) and not self._handshaken:
                self.connection.do_handshake()
            self._handshaken = True
            while not self._is_whole():
                self._read()
        except (ssl.SSLWantReadError, BlockingIOError):
            return Wants.READ
        except ssl.SSLWantWriteError:
            return Wants.WRITE
        except ssl.SSLError as error:
            raise PeerFault(f"expected TLS with a certificate of a known authority, found: {error.reason}") from error
        except OSError as error:
            raise PeerGone("expected a peer that asks for an association, found a broken connection") from error
        return Wants.ASKED

    def refuse(self, why: Rejection | None, until: float) -> None:
        """Send an A-ASSOCIATE-RJ, or an A-ABORT; what comes from now on is passed over until the peer leaves."""
        self.leaving, self.until = True, until
        with suppress(OSError, ValueError):
            self.connection.send(abort_pdu() if why is None else reject_pdu(why))
            self.connection.shutdown(socket.SHUT_WR)

    def has_left(self) -> bool:
        """Pass over what came after a refusal; return whether the peer has closed."""
        try:
            return not self.connection.recv(_DRAINED_AT_ONCE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self.connection.close()

    def _is_whole(self) -> bool:
        return self._length is not None and len(self.request) == self._length

    def _read(self) -> None:
        """Read a part, and nothing of what would follow the request."""
        wanted = (HEAD.size if self._length is None else self._length) - len(self.request)
        part = self.connection.recv(wanted)
        if not part:
            raise PeerGone("expected an association to be asked for, found the end of the connection")
        self.request += part
        if self._length is None and len(self.request) == HEAD.size:
            kind, length = HEAD.unpack(self.request)
            if kind != Kind.ASSOCIATE_REQUEST:
                raise PeerFault(f"expected an A-ASSOCIATE-RQ, found a PDU of type {kind}")
            if length > REQUEST_BYTES:
                raise PeerFault(
                    f"expected an A-ASSOCIATE-RQ of at most {REQUEST_BYTES:,} bytes, found one that claims {length:,}"
                )
            self._length = length
            self.request.clear()
