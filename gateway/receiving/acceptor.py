"""Takes connections, hears what they ask for, and gives each association that is allowed a thread.

One thread hears all that have not asked yet, so that silent ones keep nobody out: they are few, wait for seconds, and
of too many the oldest of the address that has the most is closed.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import structlog

from gateway.receiving.limits import Limits
from gateway.receiving.pending_association import Asking, Wants
from schemas.errors import PeerFault, PeerGone

LEAVE_SECONDS = 2.0
"""Seconds that a refused peer has to read why, and to close."""

_LOOK_SECONDS = 0.5
_AT_ONCE = 16
_EVENTS = {Wants.READ: selectors.EVENT_READ, Wants.WRITE: selectors.EVENT_WRITE}

Asked = Callable[[Asking], bool]
"""Told of a request that is whole; returns whether it took the connection over. Else it has refused it."""


class Acceptor:
    """Serves a socket that listens. counted: told of what was refused before it was a request, by a word."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext | None,
        limits: Limits,
        asked: Asked,
        counted: Callable[[str], object],
    ) -> None:
        self._listening, self._context, self._limits = listening, context, limits
        self._asked, self._counted = asked, counted
        self._selector = selectors.DefaultSelector()
        self._connections: dict[int, Asking] = {}

    def serve(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; what has not asked by then is closed."""
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ)
        try:
            while not stop.is_set():
                for key, _ in self._selector.select(self._patience()):
                    if key.fileobj is self._listening:
                        self._accept()
                    elif (asking := self._connections.get(key.fd)) is not None:
                        self._hear(asking)
                self._close_late()
        finally:
            for asking in list(self._connections.values()):
                self._close(asking)
            self._selector.close()

    def _patience(self) -> float:
        now = time.monotonic()
        soonest = min((asking.until for asking in self._connections.values()), default=now + _LOOK_SECONDS)
        return max(0.0, min(soonest - now, _LOOK_SECONDS))

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, (address, *_) = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:  # no descriptor is left, or the peer is gone already
                structlog.get_logger().warning("a connection could not be taken", why=error.strerror)
                self._make_room()
                return
            while len(self._connections) >= self._limits.connections:
                self._make_room()
            self._take(connection, str(address))

    def _take(self, connection: socket.socket, address: str) -> None:
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        except OSError:
            connection.close()
            return
        asking = Asking(connection, address, time.monotonic() + self._limits.request_seconds)
        self._connections[connection.fileno()] = asking
        self._selector.register(connection, selectors.EVENT_READ)
        self._hear(asking)

    def _hear(self, asking: Asking) -> None:
        if asking.leaving:
            if asking.has_left():
                self._close(asking)
            return
        try:
            wants = asking.go_on()
        except PeerGone:
            self._counted("gone")
            self._close(asking)
        except PeerFault as fault:
            self._counted("fault")
            structlog.get_logger().warning("a connection was refused", why=str(fault), address=asking.address)
            self._leave(asking)
        else:
            if wants is not Wants.ASKED:
                self._selector.modify(asking.connection, _EVENTS[wants])
            else:
                self._answer(asking)

    def _answer(self, asking: Asking) -> None:
        """Hand a whole request on; it is not heard here any more where it was accepted."""
        self._forget(asking)
        try:
            taken = self._asked(asking)
        except PeerFault as fault:
            self._counted("fault")
            structlog.get_logger().warning("a connection was refused", why=str(fault), address=asking.address)
            asking.refuse(None, time.monotonic() + LEAVE_SECONDS)
            taken = False
        if not taken:
            self._connections[asking.connection.fileno()] = asking
            self._selector.register(asking.connection, selectors.EVENT_READ)

    def _leave(self, asking: Asking) -> None:
        asking.refuse(None, time.monotonic() + LEAVE_SECONDS)
        self._selector.modify(asking.connection, selectors.EVENT_READ)

    def _close_late(self) -> None:
        now = time.monotonic()
        for asking in [one for one in self._connections.values() if one.until <= now]:
            if not asking.leaving:
                self._counted("silent")
            self._close(asking)

    def _make_room(self) -> None:
        """Close the oldest connection of the address that has the most."""
        if not self._connections:
            return
        counts = Counter(asking.address for asking in self._connections.values())
        most = counts.most_common(1)[0][0]
        self._counted("crowded")
        self._close(next(asking for asking in self._connections.values() if asking.address == most))

    def _close(self, asking: Asking) -> None:
        self._forget(asking)
        asking.close()

    def _forget(self, asking: Asking) -> None:
        descriptor = asking.connection.fileno()
        if self._connections.get(descriptor) is asking:
            del self._connections[descriptor]
            with suppress(KeyError, ValueError):
                self._selector.unregister(asking.connection)
