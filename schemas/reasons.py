"""Why an image was rejected, or is dead, and which reasons the next run tries again."""

from __future__ import annotations

from enum import StrEnum


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
