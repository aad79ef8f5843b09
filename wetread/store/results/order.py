"""In what order results are listed, and where a page of them ends.

Each order has an index that holds it, so that a page is read from there and from nowhere else. A position is the
values of the last row by which the next page begins: no row is counted over, however far in it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.tables import Image, StoredPrediction, WorkItem
from wetread.store.results.columns import ResultRow
from wetread.store.results.filters import Filters, path_key


class Sort(StrEnum):
    """The orders. By probability only images that were read are listed; by reason only failed ones."""

    FOUND = "found"
    PATH = "path"
    OLDEST = "oldest"
    NEWEST = "newest"
    MOST_PROBABLE = "most-probable"
    LEAST_PROBABLE = "least-probable"
    REASON = "reason"

    @property
    def descends(self) -> bool:
        """Return whether it goes from high to low."""
        return self in (Sort.NEWEST, Sort.MOST_PROBABLE)

    @property
    def by_probability(self) -> bool:
        """Return whether the reading's probability orders."""
        return self in (Sort.MOST_PROBABLE, Sort.LEAST_PROBABLE)


def natural_sort(filters: Filters) -> Sort:
    """Return the order in which what these filters let through lies in an index."""
    if filters.asks_reading:
        return Sort.MOST_PROBABLE
    if filters.path is not None:
        return Sort.PATH
    if filters.failed_state is not None:
        return Sort.REASON
    if filters.run is None and (filters.since is not None or filters.until is not None):
        return Sort.OLDEST
    return Sort.FOUND


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page: its image, and what an order goes by; path orders look the path up again."""

    image_id: int
    model_digest: str
    state: str
    reason: str | None
    settled_at: Any
    prediction_id: int | None
    probability: float | None

    @classmethod
    def of(cls, row: ResultRow) -> Position:
        """Return where the next page begins when this row ends one."""
        return cls(
            row.image_id, row.model_digest, row.state, row.reason, row.settled_at, row.prediction_id, row.probability
        )


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that an order goes by. name: of Position, or of the image. leads: it is in the order's own index."""

    name: str
    column: Any
    leads: bool = True


def sort_keys(session: Session, sort: Sort, filters: Filters) -> list[Key]:
    """Return what `sort` goes by, without what the filters hold to one value."""
    image, model = Key("image_id", WorkItem.image_id), Key("model_digest", WorkItem.model_digest, leads=False)
    keys = {
        Sort.FOUND: [Key("model_digest", WorkItem.model_digest), image],
        Sort.OLDEST: [Key("settled_at", WorkItem.settled_at), image, model],
        Sort.REASON: [Key("state", WorkItem.state), Key("reason", WorkItem.reason), image, model],
    }
    keys[Sort.NEWEST] = keys[Sort.OLDEST]
    if sort == Sort.PATH:
        wanted = [Key("root_id", Image.root_id), Key("path_key", path_key(session))]
        wanted += [Key("path", Image.path, leads=False)] if session.get_bind().dialect.name == "postgresql" else []
        wanted.append(model)
    elif sort.by_probability:
        reading = StoredPrediction
        wanted = [Key("probability", reading.probability), Key("prediction_id", reading.id)]
        wanted.append(Key("image_id", WorkItem.image_id, leads=False))
    else:
        wanted = keys[sort]
    fixed = {"model_digest"} if filters.model_digest is not None or filters.run is not None else set()
    fixed |= {"state"} if filters.failed_state is not None else set()
    fixed |= {"reason"} if filters.reason is not None else set()
    return [key for key in wanted if key.name not in fixed]


def ordering(keys: Sequence[Key], sort: Sort) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of these keys."""
    return [key.column.desc() if sort.descends else key.column.asc() for key in keys]


def beyond(session: Session, keys: Sequence[Key], sort: Sort, after: Position) -> list[ColumnElement[bool]]:
    """Return the condition that a row comes after `after`; raise UsageError where that image was deleted since."""
    values = {name: getattr(after, name) for name in after.__slots__}
    if sort == Sort.PATH:
        key = path_key(session)
        row = session.execute(select(Image.root_id, key, Image.path).where(Image.id == after.image_id)).first()
        if row is None:
            raise UsageError("--after: the image that it stands at was deleted since; list from the beginning again")
        values |= dict(zip(("root_id", "path_key", "path"), row, strict=True))
    leading, rest = [key for key in keys if key.leads], [key for key in keys if not key.leads]
    if not rest:
        return [_compared(leading, values, sort, strictly=True)]
    # In words of the index first, so that the page begins in it; then without the rows of that place that were seen.
    elsewhere = [key.column != literal(values[key.name], key.column.type) for key in leading]
    unseen = or_(*elsewhere, _compared(rest, values, sort, strictly=True))
    return [_compared(leading, values, sort, strictly=False), unseen]


def _compared(keys: Sequence[Key], values: dict[str, Any], sort: Sort, *, strictly: bool) -> ColumnElement[bool]:
    given = [literal(values[key.name], key.column.type) for key in keys]
    left: Any = keys[0].column if len(keys) == 1 else tuple_(*(key.column for key in keys))
    right: Any = given[0] if len(keys) == 1 else tuple_(*given)
    if sort.descends:
        found: ColumnElement[bool] = left < right if strictly else left <= right
    else:
        found = left > right if strictly else left >= right
    return found
