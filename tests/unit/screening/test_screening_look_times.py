"""When a command looks at its run's accounts: often near the end, seldom long before it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from schemas.states import RunState
from screening.look_times import LONGEST, SHORTEST, LookTimes
from wetread.store.runs.accounts import RunAccount

EMPTY = RunAccount(
    id=1,
    state=RunState.RUNNING,
    model="m",
    model_digest="d",
    engine="numpy",
    shadow_of=None,
    root_ids=(1,),
    force=False,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    walked_at=None,
    ended_at=None,
    note=None,
    found=0,
    pending=0,
    done=0,
    rejected=0,
    dead=0,
    cancelled=0,
    skipped=0,
)


def _looks(monkeypatch: pytest.MonkeyPatch, films: int, a_second: float) -> list[float]:
    """Return at which seconds a run of so many films at that pace was looked at, until the look that sees its end."""
    clock = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    times, looks = LookTimes(), []
    while True:
        if times.due():
            done = min(films, int((clock[0] - 50.0) * a_second))
            looks.append(clock[0] - 50.0)
            times.looked(replace(EMPTY, found=films, done=done, pending=films - done))
            if done == films:
                return looks
        clock[0] += 0.01


def test_a_long_run_is_looked_at_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = _looks(monkeypatch, films=20_000, a_second=200)
    assert len(looks) < 130
    assert max(later - sooner for sooner, later in pairwise(looks)) == pytest.approx(LONGEST, abs=0.011)


@pytest.mark.parametrize(("films", "a_second"), [(3, 10), (500, 100), (20_000, 200)])
def test_the_end_of_a_run_is_seen_at_once(monkeypatch: pytest.MonkeyPatch, films: int, a_second: float) -> None:
    assert _looks(monkeypatch, films, a_second)[-1] <= films / a_second + SHORTEST + 0.02


def test_a_run_that_nobody_reads_is_looked_at_seldom_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, times, looks = [50.0], LookTimes(), []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    while clock[0] < 150.0:
        if times.due():
            looks.append(clock[0])
            times.looked(replace(EMPTY, found=10, pending=10))
        clock[0] += 0.01
    gaps = [later - sooner for sooner, later in pairwise(looks)]
    assert gaps[0] == pytest.approx(SHORTEST, abs=0.011)
    assert gaps[-1] == pytest.approx(LONGEST, abs=0.011)
