"""Shows a run's alarms: on stderr under the tables, and in the exit code."""

from __future__ import annotations

from collections.abc import Iterable

from cli.output import warn
from schemas.alarms import Alarm
from schemas.errors import EXIT_DONE, EXIT_FAILURE_RATE

LINES = 10
"""Alarms of earlier runs that a list shows in lines; JSON has all."""


def say_alarms(alarms: Iterable[Alarm]) -> None:
    """Print the alarms, a line each."""
    for alarm in alarms:
        warn(f"look into this: {alarm.message}")


def say_alarms_of_runs(by_run: dict[int, list[Alarm]]) -> None:
    """Print the alarms of several runs, newest first; past LINES only their number."""
    lines = [(run, alarm) for run, alarms in by_run.items() for alarm in alarms]
    for run, alarm in lines[:LINES]:
        warn(f"look into this, run {run}: {alarm.message}")
    if len(lines) > LINES:
        warn(f"look into this: {len(lines) - LINES} more; --json has them all")


def alarmed_exit_code(code: int, alarms: Iterable[Alarm]) -> int:
    """Return the exit code of a command that has read: 3 when it is done and there are alarms."""
    return EXIT_FAILURE_RATE if code == EXIT_DONE and any(True for _ in alarms) else code
