"""A writer that stands still in the middle of a transaction does not hold its locks for ever."""

from __future__ import annotations

import pytest
from sqlalchemy import text

import wetread.store.core.limits
from schemas.errors import ServiceUnavailable
from tests.program import eventually
from wetread.store.core.database import Database


@pytest.mark.parametrize("rows", [[{"id": 1}], [{"id": 1}, {"id": 2}]], ids=["one statement", "one with many rows"])
def test_a_writer_that_stands_still_does_not_hold_its_locks_for_ever(
    database: Database, rows: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite has no such limit: docs/screening.md")
    monkeypatch.setattr(wetread.store.core.limits, "STANDSTILL_SECONDS", 0.5)

    def alive(process: object) -> bool:
        with database.reading() as session:
            found = session.execute(text("SELECT 1 FROM pg_stat_activity WHERE pid = :pid"), {"pid": process})
            return found.first() is not None

    # PgBouncer answers the COMMIT with the server's refusal and one of its own.
    with pytest.raises(ServiceUnavailable, match=r"idle-in-transaction|COMMIT"), database.writing() as session:
        (process,) = session.execute(text("SELECT pg_backend_pid()")).one()
        session.execute(text("UPDATE roots SET path = path WHERE id = :id"), rows)
        eventually(lambda: not alive(process), what="the end of its transaction")
