"""Time limits for PostgreSQL: a silent server is given up, a working one is waited for.

A program that waits for a server learns by itself only that a connection broke. A server that is stopped, or a network
that swallows packets, breaks nothing; and a long query looks the same. So whoever hears nothing for SILENT_SECONDS
asks the server on another connection, within ASKING_SECONDS, whether it lives and is still at the statement.
"""

from __future__ import annotations

from dataclasses import dataclass

CONNECT_SECONDS = 5
"""The longest that one connection takes to open, for each host that the URL names."""

SILENT_SECONDS = 5.0
"""Without a byte for so long the server is asked whether it lives."""

SILENT_AGAIN_SECONDS = 20.0
"""From its answer to the next time that it is asked."""

ASKING_SECONDS = 4.0
"""The longest that it takes to say so."""

UNASKED_SECONDS = 5.0
"""A connection on which the server was heard so shortly ago is used without asking first whether it stands."""

GRACE_SECONDS = 15.0
"""The client waits so much longer than the server was told to work on a statement."""

INTERRUPT_SECONDS = 0.3
"""The longest that Ctrl-C waits for the server to hear that its statement is not wanted any more."""

STANDSTILL_SECONDS = 30.0
"""Seconds that a writing transaction may do nothing before PostgreSQL ends it. A process that is stopped, or whose
machine is, while it settles a batch holds the run's row: without an end every other worker would wait for it."""

NETWORK = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}  # fmt: skip
"""libpq's own: a machine that is gone is noticed after some 15 s (tcp_user_timeout is in milliseconds)."""


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """What one kind of work may take. statement: one statement; lock: of that, the wait for a lock."""

    statement: float
    lock: float


WRITING = WaitLimits(statement=600.0, lock=300.0)
"""A worker's and a walk's transactions take milliseconds; they wait for whoever deletes a run of millions of films."""

SWEEPING = WaitLimits(statement=60.0, lock=10.0)
"""What comes again every few seconds; meanwhile the process gives no sign of life."""

READING = WaitLimits(statement=3600.0, lock=300.0)
"""Counting and sorting the readings of ten million films takes minutes on slow disks."""

LONG = WaitLimits(statement=86_400.0, lock=3600.0)
"""Migrations, and deleting."""
