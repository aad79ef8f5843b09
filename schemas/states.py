"""The states of a run and of an image in it, and the reasons an image was not read.

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


class Reason(StrEnum):
    """Why an image was rejected or is dead."""

    # The bytes themselves: the same bytes are not tried again.
    UNDECODABLE = "undecodable"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    FLAT = "flat"
    MULTI_FRAME = "multi_frame"
    NOT_A_FILM = "not_a_film"
    NO_LUNG_FIELD = "no_lung_field"
    # Of DICOM files alone.
    NO_PIXELS = "no_pixels"
    NO_DECODER = "no_decoder"
    OTHER_MODALITY = "other_modality"
    OTHER_VIEW = "other_view"
    OTHER_BODY_PART = "other_body_part"

    # The world around the file: the next run tries again.
    VANISHED = "vanished"
    PERMISSION = "permission"
    IO_ERROR = "io_error"
    CHANGED = "changed"
    NOT_A_FILE = "not_a_file"

    # Its worker died on it, alone, as often as is allowed, while others were read. It is tried again when the file, the
    # model or the program's version has changed, by `errors retry` or by --force.
    CRASHED = "crashed"
    OUT_OF_TIME = "out_of_time"
    OUT_OF_MEMORY = "out_of_memory"


WORLD_REASONS = frozenset({Reason.VANISHED, Reason.PERMISSION, Reason.IO_ERROR, Reason.CHANGED, Reason.NOT_A_FILE})
DEATH_REASONS = frozenset({Reason.CRASHED, Reason.OUT_OF_TIME, Reason.OUT_OF_MEMORY})
BYTES_REASONS = frozenset(Reason) - WORLD_REASONS - DEATH_REASONS
WORD_REASONS = frozenset({Reason.OTHER_MODALITY, Reason.OTHER_VIEW, Reason.OTHER_BODY_PART})
"""The words of a DICOM's header set it aside; a site may accept a word."""
RULES = 1
"""The version of what is read and what is rejected for its bytes. Raise it whenever a kind of film that was rejected
may be read: the next run then reads again what was rejected under another."""
NO_FILM_REASONS = frozenset(
    {Reason.NOT_A_FILM, Reason.NO_LUNG_FIELD, Reason.OTHER_MODALITY, Reason.OTHER_VIEW, Reason.OTHER_BODY_PART}
)
"""It was read, and is no frontal chest film: an archive holds such pictures, and nothing failed."""
