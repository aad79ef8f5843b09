"""Decides what a schedule does now: a pure function of what is known of it and of the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.states import TickKind, TickOutcome
from wetread.schedule.windows import Span, Timetable, ticks, window_at

LATE = timedelta(minutes=5)
"""Later than this a tick counts as missed: nobody kept the time when it came."""

NO_BEAT = "no beat ran"
"""The note of a moment that nobody decided on in time."""

MADE_UP = "made up"
"""The note of a moment that was missed and runs late."""

MISSED_KEPT = 100
"""Missed ticks that are written down at once, the newest."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """What is known of a schedule.

    since: ticks up to here are dealt with. going: a living process is at its run. unfinished: its last run can go on.
    begun_for: the latest moment for which one began. not_before: when one that failed is tried again.
    """

    since: datetime
    going: bool = False
    unfinished: bool = False
    begun_for: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a schedule, to be written down, and what becomes of it."""

    tick: datetime
    kind: TickKind
    outcome: TickOutcome
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NightDecision:
    """What to record, and whether a run begins or continues now, within `span`."""

    moments: tuple[Moment, ...] = ()
    span: Span | None = None


def decide(plan: Timetable, standing: ScheduleState, now: datetime, *, make_up: bool) -> NightDecision:
    """Return what becomes of the ticks up to `now`, and whether to run.

    make_up: a tick that was missed runs once, within the window; otherwise it is skipped.
    """
    span = window_at(plan, now)
    due = ticks(plan, standing.since, now)
    moments = [Moment(t, TickKind.TICK, TickOutcome.MISSED, NO_BEAT) for t in due[:-1][-MISSED_KEPT:]]
    if due:
        newest = _newest(due[-1], standing, now, span, make_up=make_up)
        if newest is not None:
            moments.append(newest)
            if newest.outcome == TickOutcome.DUE:
                return NightDecision(tuple(moments), span)
    if span is None or standing.going or not standing.unfinished:
        return NightDecision(tuple(moments))
    if standing.not_before is not None and now < standing.not_before:
        return NightDecision(tuple(moments))
    if standing.begun_for is not None and standing.begun_for < span.start:
        moments.append(Moment(span.start, TickKind.OPENING, TickOutcome.DUE))
    return NightDecision(tuple(moments), span)


def _newest(
    tick: datetime, standing: ScheduleState, now: datetime, span: Span | None, *, make_up: bool
) -> Moment | None:
    """Return what becomes of the newest tick; None when it waits for the window to open."""
    late = now - tick > LATE
    if standing.going:
        return Moment(tick, TickKind.TICK, TickOutcome.GOING, "the run before was still going")
    if late and not make_up:
        return Moment(tick, TickKind.TICK, TickOutcome.MISSED, f"{NO_BEAT}; skipped")
    if span is None:
        return None
    return Moment(tick, TickKind.TICK, TickOutcome.DUE, MADE_UP if late else None)
