"""Counts how often test patients were looked at: each look weakens a good figure on them."""

from __future__ import annotations

from collections.abc import Iterable

from wetread.models.card import Provenance


def earlier_openings(models: Iterable[Provenance], split_digest: str) -> int:
    """Return how many of `models` were judged on the test patients of this split."""
    return sum(
        provenance.split_digest == split_digest and provenance.extra.get("test_opened") is True for provenance in models
    )
