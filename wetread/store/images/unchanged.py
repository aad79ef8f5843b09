"""Which images of an earlier run need not be read again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, text

from schemas.films import Accepted
from schemas.states import ItemState
from schemas.tables import Image
from wetread.program import program_version
from wetread.store.images.rejections import stands


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
            stands(last, accepted),
        ),
        literal(not force),
    )
