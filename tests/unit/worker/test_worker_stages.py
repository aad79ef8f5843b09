"""Where the time goes: what is named and what is left over add up to the time that passed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from wetread.imaging.step import CLAHE
from worker.stages import BESIDE, CLAIM, DECODE, FILES, IN_TURN, OTHER, READ, WAIT, Stages


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stages(clock: Clock) -> Stages:
    stages = Stages(clock)
    stages.serve(1)
    return stages


def passing(stages: Stages, clock: Clock, stage: str, seconds: float) -> None:
    with stages.timed(stage):
        clock.now += seconds


def test_the_stages_of_one_thread_and_the_rest_add_up_to_the_time_that_passed(stages: Stages, clock: Clock) -> None:
    passing(stages, clock, DECODE, 3.0)
    passing(stages, clock, DECODE, 2.0)
    clock.now += 0.5
    stages.add(READ, 40.0)  # sixteen threads have more seconds than the clock
    assert stages.take() == {DECODE: 5.0, READ: 40.0, OTHER: 0.5}
    passing(stages, clock, CLAHE, 1.0)
    assert stages.take() == {CLAHE: 1.0, OTHER: 0.0}


def test_a_stage_inside_another_counts_for_itself_alone(stages: Stages, clock: Clock) -> None:
    with stages.timed(FILES):
        clock.now += 1.0
        passing(stages, clock, CLAIM, 2.0)
        passing(stages, clock, CLAIM, 0.5)
        clock.now += 4.0
    passing(stages, clock, FILES, 8.0)
    assert stages.take() == {FILES: 13.0, CLAIM: 2.5, OTHER: 0.0}


def test_a_step_that_fails_took_its_time_too(stages: Stages, clock: Clock) -> None:
    with pytest.raises(ValueError, match="no film"), stages.timed(DECODE):
        clock.now += 2.0
        raise ValueError("no film")
    assert stages.take()[DECODE] == 2.0


def test_between_two_batches_is_waiting_but_not_before_the_first(stages: Stages, clock: Clock) -> None:
    clock.now += 9.0
    stages.wake()
    assert WAIT not in stages.take()
    stages.rest()
    clock.now += 4.0
    stages.wake()
    assert stages.take() == {WAIT: 4.0, OTHER: 0.0}


def test_a_run_is_told_nothing_of_another_ones_time(stages: Stages, clock: Clock) -> None:
    passing(stages, clock, DECODE, 3.0)
    stages.serve(2)
    passing(stages, clock, CLAHE, 1.0)
    stages.serve(2)
    assert stages.take() == {CLAHE: 1.0, OTHER: 0.0}


def test_listeners_hear_what_was_taken(stages: Stages, clock: Clock) -> None:
    heard: list[Mapping[str, float]] = []
    stages.listeners.append(heard.append)
    passing(stages, clock, DECODE, 3.0)
    assert heard == [] and stages.take() == heard[0]


def test_stage_names_fit_their_column() -> None:
    assert all(len(stage) <= 16 for stage in (*IN_TURN, *BESIDE))
