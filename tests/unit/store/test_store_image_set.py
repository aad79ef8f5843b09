"""A set of image ids holds what was put in and nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.store.core.image_set import PAGE_BITS, ImageSet

IDS = st.one_of(st.integers(1, 40), st.integers(PAGE_BITS - 3, PAGE_BITS + 3), st.integers(1, 2**62))


@settings(max_examples=50)
@given(st.sets(IDS), st.sets(IDS))
def test_it_holds_what_a_set_holds(ids: set[int], others: set[int]) -> None:
    kept = ImageSet()
    kept.update(ids)
    neighbours = {near for image in ids for near in (image - 1, image + 1)}
    asked = ids | others | neighbours
    assert kept.among(asked) == asked & ids
