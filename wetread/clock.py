"""Time, as a parameter that tests can set."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def utc_text(at: datetime | None) -> str | None:
    """Return a moment of UTC as ISO 8601 with a Z, to the second."""
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


EARLIEST_NS, LATEST_NS = -(2**63), 2**63 - 1
"""Nanoseconds since 1970 that a database's largest integer holds: 21 September 1677 to 11 April 2262."""


def kept_ns(nanoseconds: int) -> int:
    """Return a file's time as a database can hold it: the nearest moment, where it lies outside 1677 to 2262.

    Samba, NTFS and broken clocks make such times.
    """
    return min(max(nanoseconds, EARLIEST_NS), LATEST_NS)
