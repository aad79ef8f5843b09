"""When a schedule is due and may read: across daylight saving, gaps and folds, years of nights at a time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import UsageError
from wetread.schedule.windows import (
    DailyWindow,
    Timetable,
    at_wall_clock,
    next_tick,
    read_plan,
    split_window,
    ticks,
    window_at,
)

PARIS = ZoneInfo("Europe/Paris")
NIGHTLY = Timetable("0 22 * * *", PARIS, DailyWindow(time(22), time(6)))
DAY = timedelta(days=1)


def wall(*parts: int) -> datetime:
    """What a clock on the wall shows."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - it names no time zone


zones = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
hours = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
windows = st.builds(DailyWindow, hours, hours).filter(lambda window: window.start != window.end)
moments = st.datetimes(wall(2024, 1, 1), wall(2029, 1, 1), timezones=st.just(UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, hour, minute


@pytest.mark.parametrize(
    ("evening", "start", "end"),
    [
        ((2026, 1, 10), utc(2026, 1, 10, 21), utc(2026, 1, 11, 5)),
        ((2026, 7, 10), utc(2026, 7, 10, 20), utc(2026, 7, 11, 4)),
        ((2026, 3, 28), utc(2026, 3, 28, 21), utc(2026, 3, 29, 4)),  # clocks go forward: seven hours
        ((2026, 10, 24), utc(2026, 10, 24, 20), utc(2026, 10, 25, 5)),  # and back: nine
    ],
)
def test_the_hours_of_a_night_are_those_of_the_clock_on_the_wall(
    evening: tuple[int, int, int], start: datetime, end: datetime
) -> None:
    night = window_at(NIGHTLY, start)
    assert night is not None
    assert (night.start, night.end) == (start, end)
    assert window_at(NIGHTLY, end - timedelta(seconds=1)) == night
    assert window_at(NIGHTLY, end) is None
    assert window_at(NIGHTLY, start - timedelta(seconds=1)) is None
    assert ticks(NIGHTLY, start - DAY / 2, start + DAY / 2) == [start]


def test_an_hour_that_is_left_out_is_the_moment_at_which_clocks_go_forward() -> None:
    assert at_wall_clock(wall(2026, 3, 29, 2, 30), PARIS) == utc(2026, 3, 29, 1)
    assert ticks(Timetable("30 2 * * *", PARIS, None), utc(2026, 3, 28, 12), utc(2026, 3, 29, 12)) == [
        utc(2026, 3, 29, 1)
    ]
    in_the_gap = Timetable("0 2 * * *", PARIS, DailyWindow(time(2), time(3)))
    assert window_at(in_the_gap, utc(2026, 3, 29, 1)) is None, "it has no hour that night"


def test_an_hour_that_is_shown_twice_is_one_tick_at_the_first() -> None:
    plan = Timetable("30 2 * * *", PARIS, DailyWindow(time(2), time(3)))
    assert ticks(plan, utc(2026, 10, 24, 12), utc(2026, 10, 25, 12)) == [utc(2026, 10, 25, 0, 30)]
    night = window_at(plan, utc(2026, 10, 25, 1, 59))
    assert night is not None, "the second showing of the hour belongs to the window too"
    assert (night.start, night.end) == (utc(2026, 10, 25), utc(2026, 10, 25, 2))


def test_five_years_of_nights_are_one_tick_each() -> None:
    found = [tick.astimezone(PARIS) for tick in ticks(NIGHTLY, utc(2024, 1, 1), utc(2029, 1, 1))]
    assert len(found) == 5 * 365 + 2
    assert {tick.time() for tick in found} == {time(22)}
    assert all(later.date() - earlier.date() == DAY for earlier, later in pairwise(found))


@settings(max_examples=150, deadline=None)
@given(zone=zones, window=windows, minute=st.integers(0, 59), hour=st.integers(0, 23), now=moments)
def test_a_tick_is_never_outside_the_window_and_comes_once_however_often_it_is_asked_for(
    zone: str, window: DailyWindow, minute: int, hour: int, now: datetime
) -> None:
    plan = Timetable(f"{minute} {hour} * * *", ZoneInfo(zone), window)
    at_once = ticks(plan, now, now + 3 * DAY)
    piecemeal = [t for n in range(3 * 48) for t in ticks(plan, now + n * DAY / 48, now + (n + 1) * DAY / 48)]
    assert piecemeal == at_once
    assert len(set(at_once)) == len(at_once) <= 4
    for tick in at_once:
        night = window_at(plan, tick)
        assert night is not None
        assert night.end is not None
        assert night.start <= tick < night.end
        assert night.end - night.start <= DAY + timedelta(hours=1)


@settings(max_examples=150, deadline=None)
@given(zone=zones, shown=st.datetimes(wall(2024, 1, 1), wall(2029, 1, 1)))
def test_a_moment_shows_what_was_asked_for_or_is_the_end_of_what_was_left_out(zone: str, shown: datetime) -> None:
    shown = shown.replace(microsecond=0)
    moment = at_wall_clock(shown, ZoneInfo(zone))
    back = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    if back != shown:
        before = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert before < shown < back


def test_a_cron_expression_of_every_minute_that_slept_for_months_is_asked_for_a_day() -> None:
    plan = Timetable("* * * * *", PARIS, None)
    assert len(ticks(plan, utc(2026, 1, 1), utc(2026, 6, 1))) == 24 * 60


def test_what_is_no_plan_is_said() -> None:
    for cron in ("0 22 * *", "61 22 * * *", "0 22 * * * *", "nightly"):
        with pytest.raises(UsageError, match="cron expression"):
            read_plan(cron, "UTC", None)
    with pytest.raises(UsageError, match="time zone such as Europe/Paris, found 'Paris'"):
        read_plan("0 22 * * *", "Paris", None)
    for window in ("22:00", "22:00-22:00", "25:00-06:00", "22-6"):
        with pytest.raises(UsageError, match="a window"):
            split_window(window)
    assert split_window("22:00-06:00") == ("22:00", "06:00")
    assert next_tick(read_plan("0 12 * * *", "UTC", ("22:00", "06:00")), utc(2026, 1, 1)) is None


def test_the_next_night_is_looked_for_ahead_until_29_february_has_come_round() -> None:
    assert next_tick(NIGHTLY, utc(2026, 1, 10, 12)) == utc(2026, 1, 10, 21)
    assert next_tick(NIGHTLY, utc(2026, 1, 10, 21)) == utc(2026, 1, 11, 21), "the one that is now is not the next"
    leap_days = Timetable("0 22 29 2 *", PARIS, DailyWindow(time(22), time(6)))
    assert next_tick(leap_days, utc(2024, 2, 29, 21)) == utc(2028, 2, 29, 21)
    assert next_tick(leap_days, utc(2099, 6, 1)) is None, "2100 has none: nobody looks ahead to 2104"


def test_of_the_moments_that_are_due_the_next_is_one_within_the_window() -> None:
    twice_a_day = Timetable("0 12,23 * * *", PARIS, DailyWindow(time(22), time(6)))
    assert next_tick(twice_a_day, utc(2026, 1, 10, 6)) == utc(2026, 1, 10, 22)
