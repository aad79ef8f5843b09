"""Agreement of two readers, worked out by hand and by scikit-learn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from wetread.models.agreement import agreement

TABLE = {("a", "a"): 44, ("a", "b"): 5, ("a", "c"): 1, ("b", "a"): 7, ("b", "b"): 20, ("b", "c"): 3,
         ("c", "a"): 9, ("c", "b"): 5, ("c", "c"): 6}  # fmt: skip
"""By hand: agreed 0.70, by chance 0.5 x 0.6 + 0.3 x 0.3 + 0.2 x 0.1 = 0.41."""


def test_kappa_is_what_is_worked_out_by_hand() -> None:
    found = agreement(TABLE)
    assert found is not None
    assert (found.films, found.agreed) == (100, pytest.approx(0.70))
    assert found.kappa == pytest.approx(0.4915, abs=5e-5)
    assert found.low is not None and found.high is not None
    assert found.low < found.kappa < found.high


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=60))
def test_kappa_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    table = {pair: pairs.count(pair) for pair in set(pairs)}
    found = agreement(table)
    assert found is not None
    if found.kappa is None:
        assert found.agreed == 1.0
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
        assert -1 <= found.low <= found.kappa + 1e-12 <= found.high + 2e-12  # type: ignore[operator]  # not None with kappa


def test_no_film_is_no_agreement() -> None:
    assert agreement({}) is None
