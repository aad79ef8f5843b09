"""A film that changes after it was read begins a new run; one that does so again and again, ever more seldom."""

from __future__ import annotations

from itertools import pairwise

import pytest

from producer.film_backoff import FIRST_SECONDS, FORGET_SECONDS, LONGEST_SECONDS, ChangedAgain

FILM, OTHER = (1, b"a.png"), (1, b"b.png")


def runs_of_a_day(every: float) -> list[float]:
    """Return when runs begin on a day on which a film changes each `every` seconds and each run reads it at once."""
    changed, begun, now = ChangedAgain(), list[float](), 0.0
    while now < 86_400:
        changed.note(FILM, now)
        if changed.is_due(now):
            assert changed.take(now) == [FILM]
            begun.append(now)
        now += every
    return begun


def test_a_change_begins_a_run_at_once_and_once() -> None:
    changed = ChangedAgain()
    assert not changed.is_due(0.0)
    changed.note(FILM, 5.0)
    assert changed.is_due(5.0)
    assert changed.take(5.0) == [FILM]
    assert not changed.is_due(9e9)
    assert len(changed) == 0


def test_a_film_that_changes_every_few_seconds_begins_some_thirty_runs_a_day() -> None:
    begun = runs_of_a_day(3.0)
    waits = [later - one for one, later in pairwise(begun)]
    assert begun[0] == 0.0
    assert waits[:5] == [63.0, 123.0, 243.0, 483.0, 963.0]
    assert max(waits) <= LONGEST_SECONDS + 3.0
    assert 24 <= len(begun) < 36


@pytest.mark.parametrize("every", [10.0, 130.0, 180.0, 900.0, 1800.0, 3600.0])
def test_however_long_a_film_rests_between_its_changes_it_comes_to_one_run_an_hour(every: float) -> None:
    begun = runs_of_a_day(every)
    assert len(begun) < 36
    waits = [later - one for one, later in pairwise(begun)]
    assert waits == sorted(waits)
    assert LONGEST_SECONDS <= waits[-1] <= LONGEST_SECONDS + 2 * every


def test_a_film_that_changes_every_few_hours_is_read_each_time_at_once() -> None:
    assert len(runs_of_a_day(FORGET_SECONDS)) == 12


def test_many_films_that_change_one_after_the_other_begin_a_run_a_minute_at_most() -> None:
    changed, begun = ChangedAgain(), list[float]()
    for now in range(0, 3600, 5):
        changed.note((1, b"%d.png" % now), float(now))
        if changed.is_due(float(now)):
            begun.append(now)
            changed.take(float(now))
    assert {later - one for one, later in pairwise(begun)} == {FIRST_SECONDS}


def test_what_is_held_goes_with_any_run_that_begins_and_is_still_held_back_longer_then() -> None:
    changed = ChangedAgain()
    for now in (0.0, 1.0):
        changed.note(FILM, now)
        if now == 0.0:
            changed.take(now)
    changed.note(OTHER, 70.0)
    assert changed.take(70.0) == [FILM, OTHER]
    changed.note(FILM, 71.0)
    assert not changed.is_due(71.0 + 2 * FIRST_SECONDS - 1.0)
    assert changed.is_due(71.0 + 2 * FIRST_SECONDS)
