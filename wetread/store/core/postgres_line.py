"""A connection to PostgreSQL on which every wait has a limit."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from enum import StrEnum
from typing import Any, TypeVar

import psycopg
from psycopg import waiting

from wetread.store.core import limits
from wetread.store.core.postgres_hosts import with_addresses

R = TypeVar("R")
Waits = Generator[Any, Any, R]
"""What psycopg waits with: it yields what it waits for, and is sent what came, or 0 ten times a second."""


class ServerAnswer(StrEnum):
    """What a server says when it is asked about a statement that has brought nothing for a while."""

    AT_IT = "at it"
    NOT_AT_IT = "not at it"
    UNKNOWN = "unknown"
    """It lives, and does not tell: it is behind PgBouncer, which numbers processes of its own, or takes nobody now."""
    NONE = "none"


class PostgresLine(psycopg.Connection[Any]):
    """A connection whose waits end: with the server's answer, or with OperationalError; with Ctrl-C at once.

    params: those that it was made with, passwords included.
    longest: seconds that one statement may take. heard_at: when it last answered, by time.monotonic().
    What is held back (store/together.py) goes with the next statement that is sent with it, or with COMMIT.
    """

    params: Mapping[str, Any] = {}
    longest: float = limits.WRITING.statement
    heard_at: float = float("-inf")
    _begin: bytes | None = None
    _held: tuple[bytes, ...] = ()

    @property
    def holds_back(self) -> bool:
        """Return whether something waits to be sent."""
        return self._begin is not None or bool(self._held)

    def begin_late(self, begin: str) -> None:
        """Begin a transaction with what it is first asked, or not at all where it is asked nothing."""
        self._begin, self._held = begin.encode(), ()

    def hold_back(self, statement: bytes) -> None:
        """Keep a statement until `with_held`, `send_held` or the commit."""
        self._held += (statement,)

    def written(self, statement: str, values: Any) -> bytes:
        """Return a statement with its values in its text."""
        return psycopg.ClientCursor(self).mogrify(statement, values).encode(self.info.encoding)

    def with_held(self, *statements: bytes) -> bytes:
        """Return what was held back, which is not any more, and `statements` after it, as one message."""
        held = (*(() if self._begin is None else (self._begin,)), *self._held)
        self._begin, self._held = None, ()
        return b";\n".join((*held, *statements))

    def send_held(self) -> None:
        """Send what is held back by itself, if anything is."""
        if self.holds_back:
            self.execute(self.with_held())

    def commit(self) -> None:
        """Commit, with what is held back before it."""
        if self._held:
            self.execute(self.with_held(b"COMMIT"))
        elif self._begin is not None:
            self._begin = None  # it was asked nothing
        else:
            super().commit()

    def rollback(self) -> None:
        """Forget what is held back, and roll the rest back."""
        self._begin, self._held = None, ()
        super().rollback()

    @classmethod
    def _get_connection_params(cls, conninfo: str, **kwargs: Any) -> dict[str, Any]:
        """Return what psycopg connects with; it calls this first of all."""
        return with_addresses(super()._get_connection_params(conninfo, **kwargs))

    def wait(self, gen: Waits[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Run one of psycopg's generators to its end; every call of psycopg comes through here."""
        watched = self._watched(gen)
        try:
            answer = waiting.wait(watched, self.pgconn.socket, interval=interval, timeout=timeout)
        except psycopg.Error:
            raise
        except BaseException:
            # Ctrl-C: psycopg would give a server that answers nothing ten seconds. Or a task's time limit, for which it
            # would leave the statement under way.
            self._leave(watched)
            raise
        self.heard_at = time.monotonic()
        return answer

    def _leave(self, gen: Waits[Any]) -> None:
        """End the statement under way; close the connection where the server does not say at once that it did."""
        if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            with suppress(Exception):
                self.cancel_safe(timeout=limits.INTERRUPT_SECONDS)
            with suppress(psycopg.Error):
                waiting.wait(gen, self.pgconn.socket, interval=0.1, timeout=limits.INTERRUPT_SECONDS)
        if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            self.pgconn.finish()

    def _watched(self, gen: Waits[R]) -> Waits[R]:
        silence: _Silence | None = None
        try:
            wanted = next(gen)
            while True:
                came = yield wanted
                if came:
                    silence = None
                else:
                    silence = silence or _Silence(self)
                    silence.look()
                wanted = gen.send(came)
        except StopIteration as end:
            result: R = end.value
            return result


class _Silence:
    """How long a statement has brought nothing, and what the server said to that."""

    def __init__(self, line: PostgresLine) -> None:
        self._line = line
        self._began = time.monotonic()
        self._ask_at = self._began + limits.SILENT_SECONDS
        self._idle = 0

    def look(self) -> None:
        """Raise OperationalError, and close the connection, when the wait has no hope left."""
        now = time.monotonic()
        if now - self._began > self._line.longest:
            self._give_up(f"no answer to a statement within {self._line.longest:g} s")
        if now < self._ask_at:
            return
        answer = ask(self._line.params, self._line.pgconn)
        self._idle = self._idle + 1 if answer == ServerAnswer.NOT_AT_IT else 0
        if answer == ServerAnswer.NONE:
            self._give_up(f"it has not answered for {time.monotonic() - self._began:.0f} s")
        if self._idle > 1:  # the first time its answer may have been on its way
            self._give_up("the answer to a statement was lost")
        again = limits.SILENT_SECONDS if self._idle else limits.SILENT_AGAIN_SECONDS
        self._ask_at = time.monotonic() + again

    def _give_up(self, why: str) -> None:
        self._line.pgconn.finish()
        raise psycopg.OperationalError(why)


class _Asking(psycopg.Connection[Any]):
    """A connection for one question."""

    until: float = 0.0

    def wait(self, gen: Waits[R], interval: float = 0.1, timeout: float | None = None) -> R:  # noqa: ARG002 - psycopg's signature
        left = max(0.0, self.until - time.monotonic())
        return waiting.wait(gen, self.pgconn.socket, interval=interval, timeout=left)


def ask(params: Mapping[str, Any], pgconn: psycopg.pq.abc.PGconn) -> ServerAnswer:
    """Ask the server of `pgconn` on a connection of its own whether it still works on what that one waits for."""
    until = time.monotonic() + limits.ASKING_SECONDS
    there = {"host": pgconn.host, "hostaddr": pgconn.hostaddr, "port": pgconn.port}
    known = {name: value.decode() for name, value in there.items() if value}
    known |= {"connect_timeout": str(max(2, int(limits.ASKING_SECONDS))), "target_session_attrs": "any"}
    try:
        # Closed, and not left in order: a question that is not answered cannot be rolled back.
        with closing(_Asking.connect(**{**params, **known}, autocommit=True, prepare_threshold=None)) as connection:
            connection.until = until
            row = connection.execute(
                "SELECT state FROM pg_stat_activity WHERE pid = %s AND usename = current_user", (pgconn.backend_pid,)
            ).fetchone()
    except psycopg.Error:
        # Whoever refuses (too many connections, starting up) lives.
        return ServerAnswer.UNKNOWN if time.monotonic() < until else ServerAnswer.NONE
    if row is None or row[0] is None:
        return ServerAnswer.UNKNOWN
    return ServerAnswer.NOT_AT_IT if str(row[0]).startswith("idle") else ServerAnswer.AT_IT
