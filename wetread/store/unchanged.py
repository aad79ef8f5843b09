"""Which images of an earlier run need not be read again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, text

from schemas.states import BYTES_REASONS, ItemState
from schemas.tables import Image
from wetread.program import program_version


def need_not_be_read(last: Any, found: Any, model_digest: str, *, force: bool) -> ColumnElement[bool]:
    """Return whether `last`, WorkItem under that alias, settles a found file's image for a model for good.

    The file is as it was: size and time of change. It was read, or rejected for its bytes; or it is dead, and this
    version of the program has tried it. found: the columns of the found files.
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
            and_(last.state == ItemState.REJECTED, last.reason.in_(sorted(BYTES_REASONS))),
        ),
        literal(not force),
    )
