"""Schedules and their nights as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from wetread.clock import utc_now
from wetread.path_text import path_text
from wetread.schedule.windows import next_tick, read_plan
from wetread.store.images.places import root_paths
from wetread.store.runs.accounts import run_account
from wetread.store.schedules.nightly import TickRow, nightly_runs, tick_history
from wetread.store.schedules.schedules import ScheduleRow
from wetread.views.rules import rules_json


def schedule_json(session: Any, row: ScheduleRow) -> dict[str, Any]:
    """Return a schedule as JSON shows it, and when it runs next."""
    paths = root_paths(session, row.root_ids)
    runs = nightly_runs(session, row.name, limit=1)
    after = None if row.paused_at else next_tick(read_plan(row.cron, row.timezone, row.window), utc_now())
    return {
        "name": row.name,
        "directories": [path_text(paths[key]) for key in row.root_ids],
        "pull": row.pull,
        "cron": row.cron,
        "window": "-".join(row.window) if row.window else None,
        "timezone": row.timezone,
        "model": row.model,
        "shadow": row.shadow,
        "engine": row.engine,
        "missed": row.missed,
        **rules_json(row.rules),
        "accepts": row.accepted.to_json(),
        "state": "paused" if row.paused_at else "active",
        "next": shown_by(after, row.timezone),
        "last_run": runs[0].run_id if runs else None,
    }


def nights_json(session: Any, schedule: str | None = None, *, limit: int = 50) -> list[dict[str, Any]]:
    """Return what became of the moments of schedules, newest first, each with what its run found and did."""
    rows: list[dict[str, Any]] = []
    for row in tick_history(session, schedule, limit=limit):
        account = None if row.run_id is None else run_account(session, row.run_id)
        rows.append(_night(row) | {key: getattr(account, key, None) for key in ("found", "done", "pending")})
        rows[-1]["note"] = row.note or (account.note if account else None)
    return rows


def _night(row: TickRow) -> dict[str, Any]:
    return {
        "schedule": row.schedule,
        "due": shown_by(row.tick, row.timezone),
        "kind": str(row.kind),
        "outcome": str(row.outcome),
        "run": row.run_id,
        "state": None if row.run_state is None else str(row.run_state),
    }


def shown_by(moment: datetime | None, timezone: str) -> str | None:
    """Return a moment as the clocks of a time zone show it, with its distance from UTC."""
    return None if moment is None else moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes")
