"""Keeps the receiver's process alive: started, replaced when it dies, ended in order."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import structlog

from gateway.receiving.receiver import END_SECONDS, ReceiverOrder, Receiving, receive
from schemas.errors import MachineUnfit, WetreadError
from worker.child import Failed

DEATHS_BEFORE_READY = 3
"""Processes that may die in a row before one served."""

READY_SECONDS = 60.0
"""Seconds that one may take until it serves, on a machine that has much to do."""

LEAVE_SECONDS = 3.0


class ReceiverFailed(WetreadError):
    """The receiver could not serve, and said why."""

    def __init__(self, said: Failed) -> None:
        super().__init__(said.message)
        self.exit_code = said.exit_code


@dataclass(slots=True)
class ReceiverKeeper:
    """Keeps one receiver. listening: the port stays open while one dies and the next begins. films: where they lie."""

    order: ReceiverOrder
    listening: socket.socket
    films: bytes
    _process: SpawnProcess | None = None
    _pipe: Connection | None = None
    _serves: bool = False
    _deaths: int = field(default=0)

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return int(self.listening.getsockname()[1])

    def start(self) -> None:
        """Start it, and wait until it serves; raise ReceiverFailed where it cannot."""
        self._spawn()
        until = time.monotonic() + READY_SECONDS
        while not self._serves and time.monotonic() < until:
            self.watch(0.1)

    def watch(self, seconds: float = 0.0) -> None:
        """Hear what it says; replace it where it died. Raises ReceiverFailed, or MachineUnfit where each one dies."""
        process, pipe = self._process, self._pipe
        if process is None or pipe is None:
            return
        try:
            while pipe.poll(seconds):
                said = pipe.recv()
                if isinstance(said, Failed):
                    raise ReceiverFailed(said)
                if isinstance(said, Receiving):
                    self._serves, self._deaths = True, 0
        except (EOFError, OSError):
            process.join(seconds)
        if process.exitcode is not None:
            self._deaths += 1
            structlog.get_logger().error("the receiver died and is replaced", exit=process.exitcode)
            if self._deaths >= DEATHS_BEFORE_READY:
                raise MachineUnfit(
                    f"expected a receiver that serves, found that it dies, the last with exit {process.exitcode}: run "
                    "`wetread doctor`, and look for lack of memory; what was answered 0x0000 is safe"
                )
            pipe.close()
            self._spawn()

    def stop(self) -> None:
        """Have it answer what it has begun to take, and end."""
        process = self._process
        if process is None:
            return
        self._process = None
        process.terminate()
        process.join(END_SECONDS + LEAVE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join(LEAVE_SECONDS)
        if process.exitcode not in (0, -signal.SIGTERM):
            structlog.get_logger().warning("the receiver was ended before all it took was answered")
        self.listening.close()

    def _spawn(self) -> None:
        self._serves = False
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=receive, args=(self.order, self.listening, theirs), name="wetread receiver"
        )
        self._process.start()
        theirs.close()
