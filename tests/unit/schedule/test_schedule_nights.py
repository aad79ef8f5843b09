"""What a schedule does now: one run a tick, never outside the window, whoever slept and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.states import TickKind, TickOutcome
from wetread.schedule.nights import NightDecision, ScheduleState, decide
from wetread.schedule.windows import DailyWindow, Timetable, ticks, window_at

PARIS = ZoneInfo("Europe/Paris")
NIGHTLY = Timetable("0 22 * * *", PARIS, DailyWindow(time(22), time(6)))
ADDED = datetime(2026, 3, 20, 12, tzinfo=UTC)
TEN = datetime(2026, 3, 20, 21, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def wall(*parts: int) -> datetime:
    """What a clock on the wall shows."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - it names no time zone


def told(decision: NightDecision) -> list[tuple[datetime, TickKind, TickOutcome]]:
    return [(moment.tick, moment.kind, moment.outcome) for moment in decision.moments]


def test_nothing_happens_before_the_tick_and_the_run_begins_with_it() -> None:
    assert decide(NIGHTLY, ScheduleState(ADDED), TEN - HOUR, make_up=True) == NightDecision()
    decision = decide(NIGHTLY, ScheduleState(ADDED), TEN, make_up=True)
    assert told(decision) == [(TEN, TickKind.TICK, TickOutcome.DUE)]
    assert decision.span == window_at(NIGHTLY, TEN)


def test_a_run_that_is_still_going_is_not_begun_again() -> None:
    going = ScheduleState(TEN, going=True, unfinished=True, begun_for=TEN)
    decision = decide(NIGHTLY, going, TEN + DAY, make_up=True)
    assert told(decision) == [(TEN + DAY, TickKind.TICK, TickOutcome.GOING)]
    assert decision.span is None


def test_what_is_unfinished_goes_on_in_its_window_and_in_the_next_one() -> None:
    left = ScheduleState(TEN, unfinished=True, begun_for=TEN)
    weekly = replace(NIGHTLY, cron="0 22 * * FRI")  # 20 March 2026 is one
    again = decide(weekly, left, TEN + HOUR, make_up=True)
    assert again.moments == ()
    assert again.span is not None, "its process died: the same night goes on"
    assert decide(weekly, left, TEN + 10 * HOUR, make_up=True) == NightDecision(), "not by day"
    tomorrow = decide(weekly, left, TEN + DAY + HOUR, make_up=True)
    assert told(tomorrow) == [(TEN + DAY, TickKind.OPENING, TickOutcome.DUE)]
    resting = replace(left, not_before=TEN + DAY + 2 * HOUR)
    assert decide(weekly, resting, TEN + DAY + HOUR, make_up=True).span is None


def test_a_tick_that_was_missed_is_made_up_once_or_skipped() -> None:
    late = TEN + 2 * HOUR
    assert told(decide(NIGHTLY, ScheduleState(ADDED), late, make_up=True)) == [(TEN, TickKind.TICK, TickOutcome.DUE)]
    assert told(decide(NIGHTLY, ScheduleState(ADDED), late, make_up=False)) == [
        (TEN, TickKind.TICK, TickOutcome.MISSED)
    ]
    weekly = replace(NIGHTLY, cron="0 22 * * FRI")
    by_day = TEN + 12 * HOUR
    assert decide(weekly, ScheduleState(ADDED), by_day, make_up=True) == NightDecision(), "it waits for the window"
    made_up = decide(weekly, ScheduleState(ADDED), TEN + DAY, make_up=True)
    assert told(made_up) == [(TEN, TickKind.TICK, TickOutcome.DUE)]
    two_nights = decide(NIGHTLY, ScheduleState(ADDED), TEN + 2 * DAY, make_up=True)
    assert [outcome for *_, outcome in told(two_nights)] == [TickOutcome.MISSED, TickOutcome.MISSED, TickOutcome.DUE]


@settings(max_examples=40, deadline=None)
@given(
    start=st.datetimes(wall(2025, 1, 1), wall(2027, 1, 1), timezones=st.just(UTC)),
    steps=st.lists(st.integers(1, 60 * 20), min_size=40, max_size=120),
    work=st.lists(st.integers(0, 30), min_size=200, max_size=200),
    make_up=st.booleans(),
)
def test_whenever_it_is_looked_and_however_long_runs_take(
    start: datetime, steps: list[int], work: list[int], make_up: bool
) -> None:
    """A beat that looks at odd moments, and runs that take up to 30 hours of open window."""
    standing, now, left, written = ScheduleState(start), start, 0.0, []
    for minutes in steps:
        span = window_at(NIGHTLY, now)
        if standing.going and span is not None and span.end is not None:
            read = min((span.end - now) / HOUR, minutes / 60)
            left -= read
            done = left <= 0
            standing = replace(
                standing, unfinished=not done, going=not done and now + timedelta(minutes=minutes) < span.end
            )
        now += timedelta(minutes=minutes)
        decision = decide(NIGHTLY, standing, now, make_up=make_up)
        written += decision.moments
        if decision.span is not None:
            assert not standing.going
            assert decision.span == window_at(NIGHTLY, now), "never outside the window"
            if not standing.unfinished:
                left = work[len(written) % len(work)] + 0.1
            standing = replace(standing, going=True, unfinished=True)
        cron = [moment.tick for moment in decision.moments if moment.kind == TickKind.TICK]
        begun = [moment.tick for moment in decision.moments if moment.outcome == TickOutcome.DUE]
        standing = replace(
            standing, since=max([standing.since, *cron]), begun_for=max(begun, default=standing.begun_for)
        )
    of_cron = [moment.tick for moment in written if moment.kind == TickKind.TICK]
    assert len(set(of_cron)) == len(of_cron), "one row a tick"
    assert of_cron == ticks(NIGHTLY, start, max(of_cron, default=start)), "and none left out"
