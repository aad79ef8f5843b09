"""Times as people write them, and as our own JSON prints them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click
import pytest

from cli.moments import DAY, MOMENT

NOW = datetime(2026, 11, 30, 21, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wetread.moments.utc_now", lambda: NOW)


@pytest.mark.parametrize(("written", "meant"), [
    ("2026-11-30", datetime(2026, 11, 30, tzinfo=UTC)),
    ("2026-11-30 22:00", datetime(2026, 11, 30, 22, tzinfo=UTC)),
    ("2026-11-30T22:00:00", datetime(2026, 11, 30, 22, tzinfo=UTC)),
    ("2026-11-30T22:00:00Z", datetime(2026, 11, 30, 22, tzinfo=UTC)),
    ("2026-11-30T20:24:14.973748+00:00", datetime(2026, 11, 30, 20, 24, 14, 973748, tzinfo=UTC)),
    ("2026-11-30T22:00+01:00", datetime(2026, 11, 30, 21, tzinfo=UTC)),
    ("today", datetime(2026, 11, 30, tzinfo=UTC)),
    ("yesterday", datetime(2026, 11, 29, tzinfo=UTC)),
    ("7d", datetime(2026, 11, 23, tzinfo=UTC)),
])  # fmt: skip
def test_a_moment_is_read(written: str, meant: datetime) -> None:
    assert MOMENT.convert(written, None, None) == meant


@pytest.mark.parametrize("written", ["", "2026-13-01", "tomorow", "7", "999999d", "d", "2026-11-30T25:00", "now"])
def test_what_is_no_moment_is_refused_with_the_forms(written: str) -> None:
    for kind in (MOMENT, DAY):
        with pytest.raises(click.BadParameter, match="yesterday or 7d"):
            kind.convert(written, None, None)


def test_a_day_is_read() -> None:
    assert DAY.convert("yesterday", None, None) == date(2026, 11, 29)
    assert DAY.convert("2024-02-29", None, None) == date(2024, 2, 29)
