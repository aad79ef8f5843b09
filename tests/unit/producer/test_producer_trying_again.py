"""Films that the world kept from being read are tried again, more seldom the longer it lasts."""

from __future__ import annotations

from itertools import pairwise

from producer.film_backoff import LONGEST_SECONDS, TryingAgain


def test_the_next_walk_tries_again_and_later_ones_ever_more_seldom() -> None:
    again = TryingAgain(10.0)
    tried = [now for now in range(0, 400, 10) if again.is_due(3, float(now))]
    assert tried == [0, 10, 30, 70, 150, 310]


def test_where_nothing_failed_nothing_is_tried_and_where_more_failed_it_begins_anew() -> None:
    again = TryingAgain(10.0)
    assert not again.is_due(0, 0.0)
    assert [again.is_due(1, now) for now in (10.0, 20.0, 30.0)] == [True, True, False]
    assert again.is_due(2, 31.0)
    assert not again.is_due(0, 100.0)
    assert again.is_due(2, 101.0)


def test_a_day_of_walks_every_ten_seconds_tries_what_never_works_some_thirty_times() -> None:
    again = TryingAgain(10.0)
    tried = [now for now in range(0, 86_400, 10) if again.is_due(1, float(now))]
    assert 24 <= len(tried) < 40
    assert max(later - one for one, later in pairwise(tried)) <= LONGEST_SECONDS
