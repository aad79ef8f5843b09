"""A proxy between a server and its clients that counts round trips: what is sent after an answer has come."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class CountingProxy:
    """Listens on a free port of 127.0.0.1 until the block ends. trips: of all connections together, may be set to 0."""

    def __init__(self, port: int) -> None:
        self.trips = 0
        self._to = ("127.0.0.1", port)
        self._listens = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []

    @property
    def port(self) -> int:
        return int(self._listens.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listens, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listens.accept()
                server = socket.create_connection(self._to)
                self._open += [client, server]
                answered = threading.Event()
                answered.set()
                threading.Thread(target=self._ask, args=(client, server, answered), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client, answered), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, answered: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if answered.is_set():
                    answered.clear()
                    self.trips += 1
                server.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket, answered: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                answered.set()  # before the client has it, and asks again
                client.sendall(data)
