"""Feeds a worker's metrics; does nothing where no port was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from wetread.metrics.work import work
from wetread.store.work.outcomes import Outcome


def count_films(outcomes: Sequence[Outcome]) -> None:
    """Count films whose outcomes are committed."""
    if (counters := work()) is not None:
        counters.settled(Counter((str(one.state), "" if one.reason is None else str(one.reason)) for one in outcomes))


def count_batch(ending: str, seconds: float) -> None:
    """Count a batch that was taken, by how that ended, and the seconds that it took."""
    if (counters := work()) is not None:
        counters.batch(ending, seconds)


def count_stages(seconds: Mapping[str, float]) -> None:
    """Note how long each stage took of a batch, and of the time before it."""
    if (counters := work()) is not None:
        counters.stages(seconds)


def count_deaths(count: int) -> None:
    """Count processes that were found dead."""
    if count and (counters := work()) is not None:
        counters.deaths(count)


def count_expiry() -> None:
    """Count a batch that was taken from a worker whose lease had run out."""
    if (counters := work()) is not None:
        counters.expiry()


def count_sweep(*, made: bool) -> None:
    """Count a sweep."""
    if (counters := work()) is not None:
        counters.sweep(made)
