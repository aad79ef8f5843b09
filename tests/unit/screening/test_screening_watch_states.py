"""When a watch's run is closed, and when one that was paused goes on: the rules, without a run."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from schemas.states import RunState
from screening.watch_states import (
    GO_ON_SECONDS,
    SHADOW_SECONDS,
    Closing,
    Ended,
    Event,
    Filling,
    Opened,
    Opening,
    Paused,
    RootsAnswered,
    Seen,
    ShadowSeen,
    State,
    is_hindered,
    step,
)

TODAY, NOW = 739_000, 1000.0
QUIET = Seen(RunState.RUNNING, settled=5, pending=0, day=TODAY, at_rest=True, changed=False)
TOMORROW = replace(QUIET, day=TODAY + 1)
GONE = replace(QUIET, run=RunState.PAUSED, pending=3)


def walked(state: State, *events: tuple[Event, float]) -> State:
    for event, now in events:
        state = step(state, event, now)
    return state


def test_a_run_of_today_that_has_nothing_to_do_stays_open() -> None:
    assert walked(Opening(), (Opened(TODAY), NOW), (QUIET, NOW), (QUIET, NOW + 3600)) == Filling(TODAY)


@pytest.mark.parametrize("over", [TOMORROW, replace(QUIET, changed=True)])
def test_a_run_that_is_over_makes_room_for_the_next_at_once_where_no_shadow_reads(over: Seen) -> None:
    assert walked(Filling(TODAY), (over, NOW), (ShadowSeen(reads=False), NOW)) == Opening()


@pytest.mark.parametrize("busy", [{"pending": 1}, {"at_rest": False}])
def test_a_run_that_is_over_is_read_to_its_end_first(busy: dict[str, int]) -> None:
    assert step(Filling(TODAY), replace(TOMORROW, **busy), NOW) == Filling(TODAY)


def test_a_run_that_is_over_waits_for_its_shadow_a_while_and_no_longer_whatever_appears_meanwhile() -> None:
    closing = step(Filling(TODAY), TOMORROW, NOW)
    end = NOW + SHADOW_SECONDS
    assert closing == Closing(end)
    meanwhile = (replace(TOMORROW, pending=4), end - 2), (TOMORROW, end - 1), (ShadowSeen(reads=True), end - 0.1)
    assert walked(closing, *meanwhile) == closing
    assert step(closing, ShadowSeen(reads=True), end) == Opening()
    assert step(closing, ShadowSeen(reads=False), NOW + 1) == Opening(), "it is through before"


def test_a_run_that_workers_paused_goes_on_once_its_roots_answer_and_not_before_a_moment_has_passed() -> None:
    paused = step(Filling(TODAY), GONE, NOW)
    assert paused == Paused(NOW + GO_ON_SECONDS, 5)
    assert walked(paused, (GONE, NOW + 1), (RootsAnswered(), NOW + 1)) == paused, "the moment is not put off either"
    assert step(paused, RootsAnswered(), NOW + GO_ON_SECONDS) == Opening(missed=5)


def test_a_root_counts_as_missed_until_workers_have_settled_something() -> None:
    again = step(Opening(missed=5), Opened(TODAY), NOW)
    stands = step(again, replace(QUIET, pending=3), NOW)
    assert is_hindered(again) and is_hindered(stands) and is_hindered(Paused(NOW, 5)) and is_hindered(Opening(5))
    for moved in (replace(QUIET, pending=3, settled=6), QUIET):
        assert step(stands, moved, NOW) == Filling(TODAY)
        assert not is_hindered(step(stands, moved, NOW))


@pytest.mark.parametrize("ended", [RunState.CANCELLED, RunState.FAILED, RunState.FINISHED, RunState.INTERRUPTED])
@pytest.mark.parametrize("state", [Filling(TODAY), Filling(TODAY, 5), Paused(NOW, 5), Closing(NOW)])
def test_a_run_that_somebody_else_ended_is_the_end_of_the_watch(state: State, ended: RunState) -> None:
    assert step(state, replace(TOMORROW, run=ended), NOW) == Ended()


def test_a_run_that_is_paused_while_it_closes_is_closed_after_it_went_on() -> None:
    closing = Closing(NOW + SHADOW_SECONDS)
    reopened = walked(closing, (GONE, NOW), (RootsAnswered(), NOW + 5), (Opened(TODAY), NOW + 5), (TOMORROW, NOW + 9))
    assert reopened == Closing(NOW + 9 + SHADOW_SECONDS)


STATES = [Opening(), Opening(5), Filling(TODAY), Filling(TODAY, 5), Paused(NOW, 5), Closing(NOW), Ended()]
SEEN = [
    Seen(*told)
    for told in product(RunState, (5, 6), (0, 1), (TODAY, TODAY + 1), (True, False), (True, False))
]  # fmt: skip
EVENTS = [*SEEN, Opened(TODAY), ShadowSeen(reads=True), ShadowSeen(reads=False), RootsAnswered()]


@pytest.mark.parametrize("now", [NOW - 1, NOW, NOW + 1])
def test_nothing_but_a_quiet_run_is_closed_and_nothing_but_a_closed_or_paused_one_is_opened_anew(now: float) -> None:
    for before, event in product(STATES, EVENTS):
        after = step(before, event, now)
        if after == before:
            continue
        assert not isinstance(before, Ended)
        if isinstance(after, Closing):
            assert isinstance(before, Filling) and isinstance(event, Seen) and event.quiet
        elif isinstance(after, Opening):
            assert isinstance(before, Closing | Paused) and not isinstance(event, Seen)
        elif isinstance(after, Paused):
            assert isinstance(before, Filling | Closing) and isinstance(event, Seen) and event.run == RunState.PAUSED
        elif isinstance(after, Filling):
            assert isinstance(before, Opening | Filling)
