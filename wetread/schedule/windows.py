"""When a schedule is due, and within which hours it may read: pure functions of the time, across daylight saving.

Moments are in UTC. Hours of the day are those that the clock on the wall shows in the schedule's time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from schemas.errors import UsageError

MOST_TICKS = 5_000
"""Ticks looked at behind the present; a schedule that had more while nobody looked is asked for the last day alone."""

YEARS_AHEAD = timedelta(days=4 * 366 + 1)
"""How far is looked for a next tick: 29 February comes round in it."""

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DailyWindow:
    """From one hour of the day to another, which may be of the next day."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Span:
    """The hours of one night, from `start` until before `end`, in UTC. end: None when there is none."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a schedule is due, and when it may read. window: None for always."""

    cron: str
    zone: ZoneInfo
    window: DailyWindow | None


ALWAYS = Span(datetime.min.replace(tzinfo=UTC), None)


def read_plan(cron: str, timezone: str, window: tuple[str, str] | None) -> Timetable:
    """Return the plan that these texts name; raise UsageError that says which of them is wrong."""
    plan = Timetable(cron, _zone(timezone), None if window is None else _window(*window))
    if len(cron.split()) != 5:
        raise UsageError(f"expected a cron expression of five fields, such as '0 22 * * *', found {cron!r}")
    try:
        CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise UsageError(
            f"expected a cron expression, such as '0 22 * * *' (minute, hour, day, month, weekday), found {cron!r}: "
            f"{error}"
        ) from error
    return plan


def split_window(text: str) -> tuple[str, str]:
    """Return the two hours of a text such as 22:00-06:00; raise UsageError when it is not such a text."""
    start, dash, end = text.partition("-")
    parsed = _window(start.strip(), end.strip()) if dash else None
    if parsed is None:
        raise UsageError(f"expected a window such as 22:00-06:00, found {text!r}")
    return f"{parsed.start:%H:%M}", f"{parsed.end:%H:%M}"


def window_at(plan: Timetable, now: datetime) -> Span | None:
    """Return the hours around `now` in which the schedule may read; None when `now` is outside of them."""
    if plan.window is None:
        return ALWAYS
    day = now.astimezone(plan.zone).date()
    for date in (day, day - DAY):  # one that ends tomorrow began yesterday
        start = at_wall_clock(datetime.combine(date, plan.window.start), plan.zone)
        over_midnight = plan.window.end <= plan.window.start
        end = at_wall_clock(datetime.combine(date + DAY if over_midnight else date, plan.window.end), plan.zone)
        if start <= now < end:
            return Span(start, end)
    return None


def ticks(plan: Timetable, after: datetime, until: datetime) -> list[datetime]:
    """Return the moments after `after` up to `until`, in order, at which the schedule is due.

    What the cron expression names outside the window is no tick.
    """
    found = list(islice(_cron(plan, after, until), MOST_TICKS + 1))
    if len(found) > MOST_TICKS:
        found = list(_cron(plan, max(after, until - DAY), until))
    return [tick for tick in found if window_at(plan, tick) is not None]


def next_tick(plan: Timetable, after: datetime) -> datetime | None:
    """Return the next moment at which the schedule is due; None when that is more than four years away."""
    return next((t for t in _cron(plan, after, after + YEARS_AHEAD) if window_at(plan, t) is not None), None)


def _cron(plan: Timetable, after: datetime, until: datetime) -> Iterator[datetime]:
    last = after
    for found in CronSim(plan.cron, after.astimezone(plan.zone)):
        tick = found.astimezone(UTC)
        if tick > until:
            return
        if tick > last:  # begun in an hour that the clock shows twice, it names moments of the first one again
            yield tick
            last = tick


def at_wall_clock(shown: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which clocks first show `shown`, which names no time zone.

    Where it is left out as clocks go forward, that is the moment at which they do.
    """
    early, late = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    if early >= late:  # shown once, or twice: then fold 0 is the first
        return late
    after = late.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)  # clocks change at a whole second, and only one is left


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = _nearest_zones(name)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"expected a time zone such as Europe/Paris, found {name!r}{meant}") from error


def _nearest_zones(name: str) -> list[str]:
    """Return the time zones that `name` may have meant: spelled nearly so, or the city alone."""
    zones = {zone.lower(): zone for zone in sorted(available_timezones())}
    wanted = name.strip().lower().replace(" ", "_")
    cities = [zone for low, zone in zones.items() if low.rpartition("/")[2] == wanted]
    if wanted in zones or cities:
        return [zones[wanted]] if wanted in zones else cities[:3]
    near = get_close_matches(wanted, zones, n=2, cutoff=0.8)
    if not near:
        by_city = {low.rpartition("/")[2]: low for low in zones if "/" in low}
        near = [by_city[city] for city in get_close_matches(wanted.rpartition("/")[2], by_city, n=2, cutoff=0.8)]
    return [zones[low] for low in near]


def _window(start: str, end: str) -> DailyWindow:
    try:
        parsed = DailyWindow(time.fromisoformat(start), time.fromisoformat(end))
    except ValueError as error:
        raise UsageError(f"expected a window such as 22:00-06:00, found {start}-{end}") from error
    if parsed.start == parsed.end or parsed.start.tzinfo or parsed.end.tzinfo:
        raise UsageError(f"expected a window that ends at another hour than it starts, found {start}-{end}")
    return parsed
