"""Which rejections stand: what was rejected under other rules than today's is read again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from schemas.films import Accepted
from schemas.states import BYTES_REASONS, WORD_REASONS, ItemState, Reason


def rules_of(state: ItemState, reason: Reason | None, accepted: Accepted) -> str | None:
    """Return the rules under which an image is rejected for its bytes; None where it is not."""
    return accepted.rules(reason) if state == ItemState.REJECTED and reason in BYTES_REASONS else None


def stands(item: Any, accepted: Accepted) -> ColumnElement[bool]:
    """Return whether the work item is a rejection of the bytes themselves under the rules that hold now.

    accepted: words of DICOM headers that are read although they name something else; part of the rules for words.
    """
    by_word = [and_(item.reason == reason, item.rules == accepted.rules(reason)) for reason in sorted(WORD_REASONS)]
    by_bytes = and_(item.reason.in_(sorted(BYTES_REASONS - WORD_REASONS)), item.rules == accepted.rules(None))
    return and_(item.state == ItemState.REJECTED, or_(by_bytes, *by_word))
