"""Parses and prints times and days, for people and in our JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

from wetread.moments import FORMS, read_day, read_moment


class Day(click.ParamType[date]):
    """A day."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day; fail when `value` is not one."""
        try:
            found = read_day(str(value).strip())
        except OverflowError:
            found = None
        if found is None:
            self.fail(f"expected a day as 2026-11-30, today, yesterday or 7d, found {str(value)[:40]!r}", param, ctx)
        return found


class MomentParameter(click.ParamType[datetime]):
    """A moment: a day is its beginning, and what names no time zone is in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment in UTC; fail when `value` is not one."""
        text = str(value).strip()
        try:
            return read_moment(text)
        except (ValueError, OverflowError):
            self.fail(f"{FORMS}, found {text[:40]!r}", param, ctx)


DAY, MOMENT = Day(), MomentParameter()
