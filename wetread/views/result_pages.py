"""Pages of results: encodes where a page ends as a short word that the next command takes."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from schemas.errors import UsageError
from wetread.views.asked_values import Spelled, as_option

if TYPE_CHECKING:
    from wetread.store.results.columns import ResultRow
    from wetread.store.results.finding import Filters, Position, Sort

_WORD = re.compile(r"(\d{1,19})-(\d{1,19})-([0-9a-f]{6})")


def page_word(row: ResultRow, filters: Filters, sort: Sort | None) -> str:
    """Return what --after takes to go on behind `row`: its run and image, and a check. It holds no path."""
    from wetread.store.results.finding import Position

    return f"{row.run}-{row.image_id}-{_check(Position.of(row), filters, sort)}"


def read_page_word(
    session: Any, word: str, filters: Filters, sort: Sort | None, spelled: Spelled = as_option
) -> Position:
    """Return the position that `word` means; raise UsageError where it is not a valid word of this question."""
    from wetread.store.results.finding import position_of

    found = _WORD.fullmatch(word)
    if found is None or max(int(found[1]), int(found[2])) >= 2**63:
        raise UsageError(f"{spelled('after')}: expected the word that the page before ended with, found another")
    position = position_of(session, int(found[1]), int(found[2]))
    if position is None or found[3] != _check(position, filters, sort):
        raise UsageError(
            f"{spelled('after')}: expected the filters and {spelled('sort')} of the page before, found others, or the "
            "image that it ended with was read anew or deleted since; begin anew"
        )
    return position


def _check(position: Position, filters: Filters, sort: Sort | None) -> str:
    return hashlib.sha256(repr((filters, sort, position)).encode("utf-8", "backslashreplace")).hexdigest()[:6]
