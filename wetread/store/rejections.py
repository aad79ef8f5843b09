"""Which rejections stand: what was rejected under other rules than today's is read again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from schemas.films import Accepted
from schemas.states import BYTES_REASONS, WORD_REASONS, ItemState


def stands(item: Any, accepted: Accepted) -> ColumnElement[bool]:
    """Return whether the work item is a rejection of the bytes themselves under the rules that hold now.

    accepted: words of DICOM headers that are read although they name something else; part of the rules for words.
    """
    words = sorted(WORD_REASONS)
    return and_(
        item.state == ItemState.REJECTED,
        or_(
            and_(item.reason.in_(sorted(BYTES_REASONS - WORD_REASONS)), item.rules == accepted.rules(None)),
            and_(item.reason.in_(words), item.rules == accepted.rules(words[0])),
        ),
    )
