"""The stability index and its bins, against figures worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.report.drift import Bin, equal_mass_edges, grouped, ks_distance, measured, psi

COUNTS = st.lists(st.integers(0, 500), min_size=10, max_size=10)


def test_the_index_of_two_bins_is_the_one_worked_out_by_hand() -> None:
    # With half a film in each bin: 8 of 10 and 2 of 10 become 8.5/11 and 2.5/11; 5 and 5 become a half each.
    # 3/11 ln(17/11) - 3/11 ln(5/11) = 3/11 ln 3.4 = 0.2727273 x 1.2237754
    assert psi([8, 2], [5, 5]) == pytest.approx(0.3337569, abs=1e-6)


@given(COUNTS, COUNTS)
def test_the_index_is_finite_never_negative_and_the_same_both_ways(one: list[int], other: list[int]) -> None:
    assert 0 <= psi(one, other) < math.inf
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, one) == 0


@given(st.dictionaries(st.integers(0, 999), st.integers(1, 50), min_size=1, max_size=80))
def test_bins_hold_every_film_of_the_reference_once_and_none_is_empty(fine: dict[int, int]) -> None:
    edges = equal_mass_edges(fine)
    counts = grouped(fine, edges)
    assert sum(counts) == sum(fine.values())
    assert len(counts) <= 10
    assert edges == sorted(set(edges))
    assert min(counts) > 0


def test_even_films_make_ten_even_bins() -> None:
    assert grouped(dict.fromkeys(range(100), 3), equal_mass_edges(dict.fromkeys(range(100), 3))) == [30] * 10


def test_the_distance_is_the_widest_gap_of_the_cumulative_shares() -> None:
    assert ks_distance({0: 1, 5: 1}, {5: 1, 9: 1}) == 0.5
    assert ks_distance({3: 7}, {3: 2}) == 0


def test_few_films_that_differ_by_chance_are_no_drift_and_many_that_differ_so_are() -> None:
    few = measured("x", "scores", [Bin(0, 1, 4, 500), Bin(1, 2, 0, 500)])
    many = measured("x", "scores", [Bin(0, 1, 400, 500), Bin(1, 2, 0, 500)])
    assert few.psi is not None
    assert few.psi > 0.25
    assert not few.beyond(0.25)
    assert many.beyond(0.25)
    assert not many.beyond(100)


def test_nothing_is_said_where_a_side_has_no_films() -> None:
    nothing = measured("x", "inputs", [Bin(0, 1, 0, 5)])
    assert (nothing.psi, nothing.beyond(0.0)) == (None, False)
