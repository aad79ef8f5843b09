"""A proxy between PostgreSQL and its clients that cuts connections after COMMIT was forwarded, before its answer.

So the client cannot know whether its transaction was committed. It was: the server had the word. Which transactions are
cut is told by what they say, which the proxy reads as PostgreSQL's protocol has it (protocol version 3, no TLS).
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self

KINDS = {"claim": b"FOR UPDATE OF batches", "settle": b"pending=(runs.pending -"}
"""What a transaction is that says so."""

STARTUP_CODES = {80877103, 80877104}
"""Of requests for TLS and for GSSAPI, which are answered before the session's own first message."""


class CuttingProxy:
    """Listens on a free port of 127.0.0.1 until the block ends.

    cut: asked of each COMMIT by the transaction's kind, "claim" or "settle", whether to cut there. It is asked and told
    by several threads, one at a time.
    """

    def __init__(self, port: int, cut: Callable[[str], bool]) -> None:
        self.cuts: Counter[str] = Counter()
        """How many connections were cut, by kind."""
        self._to, self._cut = ("127.0.0.1", port), cut
        self._lock = threading.Lock()
        self._listens = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()

    @property
    def port(self) -> int:
        return int(self._listens.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listens.shutdown(socket.SHUT_RDWR)
        self._listens.close()
        for one in list(self._open):
            _close(one)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listens.accept()
                server = socket.create_connection(self._to)
                self._open |= {client, server}
                threading.Thread(target=_Session(self, client, server).forward, daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server), daemon=True).start()

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        self.close(client, server)

    def close(self, *both: socket.socket) -> None:
        for one in both:
            _close(one)
            self._open.discard(one)

    def is_to_be_cut(self, kind: str) -> bool:
        with self._lock:
            if not self._cut(kind):
                return False
            self.cuts[kind] += 1
            return True


class _Session:
    """What one client says, message by message."""

    def __init__(self, proxy: CuttingProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._begun = False
        self._prepared: dict[bytes, bytes] = {}
        self._kinds: set[str] = set()

    def forward(self) -> None:
        waiting = b""
        with suppress(OSError):
            while data := self._client.recv(65536):
                waiting += data
                while (message := self._first(waiting)) is not None:
                    waiting = waiting[len(message) :]
                    commits = self._begun and self._heard(message)
                    if not self._begun:
                        (code,) = struct.unpack_from("!I", message, 4)
                        self._begun = code not in STARTUP_CODES
                    if commits and (kind := next(iter(self._kinds), None)) and self._proxy.is_to_be_cut(kind):
                        # To the client first: it has lost its answer, however soon the server has one.
                        _close(self._client)
                        self._server.sendall(message)
                        self._server.shutdown(socket.SHUT_WR)
                        return
                    if commits:
                        self._kinds.clear()
                    self._server.sendall(message)
        self._proxy.close(self._client, self._server)

    def _first(self, data: bytes) -> bytes | None:
        """Return the first message of `data`; None while it is not whole."""
        at = 1 if self._begun else 0
        if len(data) < at + 4:
            return None
        (length,) = struct.unpack_from("!I", data, at)
        if len(data) < at + length:
            return None
        return data[: at + length]

    def _heard(self, message: bytes) -> bool:
        """Note what a message says; return whether it is COMMIT."""
        kind, body = message[:1], message[5:]
        if kind == b"P":
            name, query = body.split(b"\0")[:2]
            self._prepared[name] = query
        said = self._prepared.get(body.split(b"\0")[1], b"") if kind == b"B" else body if kind in b"PQ" else b""
        self._kinds |= {name for name, words in KINDS.items() if words in said}
        if kind == b"Q" and body.rstrip(b"\0") == b"ROLLBACK":
            self._kinds.clear()
        return kind == b"Q" and body.rstrip(b"\0").endswith(b"COMMIT")  # alone, or after what is sent with it


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
