"""One association, from its acceptance to its end: C-ECHO is answered, C-STORE is handed to an intake.

A broken rule of the protocol, a size or a time over its limit ends it with A-ABORT; what was not answered by 0x0000
then was not received.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

import structlog

from gateway.receiving.dimse import (
    C_CANCEL,
    C_ECHO,
    C_STORE,
    SUCCESS,
    Answer,
    Command,
    Status,
    answer_command,
    read_command,
)
from gateway.receiving.limits import COMMAND_BYTES, Limits
from gateway.receiving.pdu import Fragment, Kind, abort_pdu, data_pdu, fragments, release_reply_pdu
from gateway.receiving.wire import Wire
from schemas.errors import PeerFault, PeerGone
from worker.failpoints import reach


class Taking(Protocol):
    """Takes one data set, a part at a time."""

    def write(self, part: memoryview) -> None:
        """Take a part; a fault is kept for the answer."""

    def finish(self) -> Answer:
        """Return the answer, once all is safe or refused."""

    def abandon(self) -> None:
        """Forget it: nothing was promised."""


class Intake(Protocol):
    """Begins to take data sets for one association."""

    def begin(self, command: Command, abstract: str, syntax: str) -> Taking:
        """Return what takes the data set of a C-STORE-RQ in a presentation context."""


class Association:
    """Serves one accepted association. contexts: {number: (SOP class, transfer syntax)} of those accepted."""

    def __init__(self, wire: Wire, contexts: Mapping[int, tuple[str, str]], intake: Intake, limits: Limits) -> None:
        self._wire, self._contexts, self._intake, self._limits = wire, contexts, intake, limits
        self._command = bytearray()
        self._context = 0
        self._request: Command | None = None
        self._taking: Taking | None = None
        self._until = 0.0

    @property
    def is_busy(self) -> bool:
        """Return whether a message has begun and is not answered yet."""
        return bool(self._command) or self._request is not None

    def serve(self) -> str:
        """Serve until it is released, aborted, or broken; return how it ended, in a word for logs and metrics."""
        try:
            return self._serve()
        except PeerGone as gone:
            structlog.get_logger().info("an association broke off", why=str(gone))
            return "broken"
        except PeerFault as fault:
            structlog.get_logger().warning("an association was aborted", why=str(fault))
            try:
                self._wire.write(abort_pdu())
            except PeerGone:
                return "broken"
            return "fault"
        finally:
            if self._taking is not None:
                self._taking.abandon()

    def _serve(self) -> str:
        while True:
            kind, body = self._wire.read(self._deadline())
            if kind == Kind.ABORT:
                return "aborted"
            if kind == Kind.RELEASE_REQUEST:
                self._wire.write(release_reply_pdu())
                return "released"
            if not body:
                raise PeerFault("expected a presentation data value, found a P-DATA-TF without one")
            for fragment in fragments(body):
                self._take(fragment)

    def _deadline(self) -> float:
        idle = time.monotonic() + self._limits.idle_seconds
        if not self.is_busy:
            return idle
        if time.monotonic() > self._until:
            raise PeerFault(f"expected a message within {self._limits.object_seconds:g} s, found it unfinished")
        return min(idle, self._until)

    def _take(self, fragment: Fragment) -> None:
        if fragment.is_command:
            self._take_command(fragment)
        elif self._request is None or fragment.context != self._context:
            raise PeerFault("expected a data set after its command and in its context, found one elsewhere")
        else:
            if self._taking is not None:
                self._taking.write(fragment.body)
            if fragment.is_last:
                self._answer(self._request, SUCCESS if self._taking is None else self._taking.finish())

    def _take_command(self, fragment: Fragment) -> None:
        if self._request is not None or (self._command and fragment.context != self._context):
            raise PeerFault("expected one command at a time, found another within it")
        if fragment.context not in self._contexts:
            raise PeerFault("expected a command in an accepted presentation context, found another")
        if not self._command:
            self._context, self._until = fragment.context, time.monotonic() + self._limits.object_seconds
        self._command += fragment.body
        if len(self._command) > COMMAND_BYTES:
            raise PeerFault(f"expected a command of at most {COMMAND_BYTES:,} bytes, found a longer one")
        if not fragment.is_last:
            if not self._command:
                raise PeerFault("expected a command, found an empty part of one")
            return
        request = read_command(bytes(self._command))
        self._command.clear()
        self._begin(request)

    def _begin(self, request: Command) -> None:
        if request.field == C_CANCEL:
            return
        if request.field == C_STORE:
            if not request.has_data:
                raise PeerFault("expected a C-STORE-RQ with a data set, found one without")
            self._taking = self._intake.begin(request, *self._contexts[self._context])
        elif request.field & 0x8000:
            raise PeerFault("expected a request, found an answer")
        if request.has_data:
            self._request = request  # what was not asked for is passed over, and answered then
        else:
            self._answer(request, SUCCESS)

    def _answer(self, request: Command, answer: Answer) -> None:
        self._request = self._taking = None
        if request.field not in (C_STORE, C_ECHO):
            answer = Answer(Status.UNKNOWN_OPERATION)
        self._wire.write(data_pdu(self._context, answer_command(request, answer)))
        if request.field == C_STORE:
            reach("received_answered")
