"""The states of runs, of the images in them, and of what is fetched, received and sent.

For every run, at every moment: found = pending + done + rejected + dead + cancelled + skipped.
"""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    FAILED = "failed"


UNFINISHED_RUNS = (RunState.RUNNING, RunState.PAUSED, RunState.INTERRUPTED)


class RunKind(StrEnum):
    """Where a run comes from; only one of the same kind is resumed."""

    SCREEN = "screen"
    WATCH = "watch"
    SHADOW = "shadow"


class ReceivedState(StrEnum):
    """Where an object that came over the network stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    NOT_WANTED = "not_wanted"


class PullState(StrEnum):
    """The state of a pull. INCOMPLETE: it ended with less than its peer has; the same command continues it."""

    ASKING = "asking"
    FETCHING = "fetching"
    INCOMPLETE = "incomplete"
    FINISHED = "finished"


class PulledState(StrEnum):
    """The state of an instance of a pull. GONE: its peer no longer has it; NOT_WANTED: it is not a film."""

    PENDING = "pending"
    RECEIVED = "received"
    FAILED = "failed"
    GONE = "gone"
    NOT_WANTED = "not_wanted"


class DeliveryState(StrEnum):
    """Where a report for a peer stands. SENT: the peer has taken it, and was not heard to keep it yet."""

    PENDING = "pending"
    SENT = "sent"
    COMMITTED = "committed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TickKind(StrEnum):
    """Why a schedule looked at this moment."""

    TICK = "tick"
    OPENING = "opening"
    MANUAL = "manual"


class TickOutcome(StrEnum):
    """What became of a schedule's moment. DUE: a run is to begin for it, and is not made yet."""

    DUE = "due"
    STARTED = "started"
    GOING = "going"
    MISSED = "missed"
    FAILED = "failed"


class WhyLeft(StrEnum):
    """Why a schedule's run is left before its end, by what its row says."""

    TAKEN_OVER = "another process has taken it over"
    REMOVED = "the schedule was removed"
    PAUSED = "the schedule was paused"


class ItemState(StrEnum):
    """Where one image of a run stands."""

    PENDING = "pending"
    DONE = "done"
    REJECTED = "rejected"
    DEAD = "dead"
    CANCELLED = "cancelled"
