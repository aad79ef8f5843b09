"""Finds images of an earlier run that need not be read again.

A rejection stands as long as the rules do: what was rejected under other rules than today's is read again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, text

from schemas.films import Accepted
from schemas.reasons import BYTES_REASONS, WORD_REASONS, Reason
from schemas.states import ItemState
from schemas.tables import Image
from wetread.version import program_version


def need_not_be_read(
    last: Any, found: Any, model_digest: str, *, force: bool, accepted: Accepted
) -> ColumnElement[bool]:
    """Return whether `last`, WorkItem under that alias, settles a found file's image for a model for good.

    The file is as it was: size and time of change. It was read, or rejected for its bytes by the rules of today; or it
    is dead, and this version of the program has tried it. found: the columns of the found files. accepted: words of
    DICOM headers that the run is to read anyway.
    """
    return and_(
        last.image_id == Image.id,
        last.model_digest == model_digest,
        last.current,
        # In the words of the index of current readings too: SQLite would else read all items for each chunk.
        text("last.current"),
        last.size == found.size,
        last.mtime_ns == found.mtime_ns,
        or_(
            last.state == ItemState.DONE,
            and_(last.state == ItemState.DEAD, last.program == program_version()),
            _stands(last, accepted),
        ),
        literal(not force),
    )


def rules_of(state: ItemState, reason: Reason | None, accepted: Accepted) -> str | None:
    """Return the rules under which an image is rejected for its bytes; None where it is not."""
    return accepted.rules(reason) if state == ItemState.REJECTED and reason in BYTES_REASONS else None


def _stands(item: Any, accepted: Accepted) -> ColumnElement[bool]:
    """Return whether the work item is a rejection of the bytes themselves under the rules that hold now.

    accepted: words of DICOM headers that are read although they name something else; part of the rules for words.
    """
    by_word = [and_(item.reason == reason, item.rules == accepted.rules(reason)) for reason in sorted(WORD_REASONS)]
    by_bytes = and_(item.reason.in_(sorted(BYTES_REASONS - WORD_REASONS)), item.rules == accepted.rules(None))
    return and_(item.state == ItemState.REJECTED, or_(by_bytes, *by_word))
