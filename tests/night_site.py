"""An archive with a nightly schedule, a clock that a test sets, and as many beats as it asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from producer.night_watch import NightWatch
from schemas.states import TickOutcome
from screening.night import NightRunner
from tests.program import eventually
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.roots.adding import resolved_roots, root_ids
from wetread.store.runs.accounts import RunAccount, list_accounts
from wetread.store.schedules.nightly import tick_history
from wetread.store.schedules.schedules import add_schedule
from worker.identity import died_here, worker_id

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
TEN = datetime(2026, 11, 27, 21, tzinfo=UTC)
"""22:00 in Paris."""
DAY = timedelta(days=1)


class NightSite:
    """See the module."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings, self.archive, self.now = settings, folder / "archive", NOON
        self.database = Database(settings.database)
        ensure_schema(self.database)
        self.watches: list[NightWatch] = []

    def add(self, archive: Path | None = None, **other: str) -> None:
        with self.database.writing() as session:
            ids = root_ids(session, resolved_roots([str(archive or self.archive)]))
            plan = {"name": "nightly", "cron": "0 22 * * *", "timezone": "Europe/Paris", "model": "production"} | other
            add_schedule(
                session, root_ids=ids, window=("22:00", "06:00"), engine="numpy", missed="run", now=self.now, **plan
            )

    def beat(self, name: str | None = None) -> NightWatch:
        runner = NightRunner(self.database, self.settings, 1, lambda: self.now)
        self.watches.append(NightWatch(name or worker_id(), died_here, runner.run, lambda: self.now))
        return self.watches[-1]

    def runs(self) -> list[RunAccount]:
        with self.database.reading() as session:
            found = list_accounts(session)
        for run in found:
            assert run.found == run.pending + run.settled + run.skipped + run.cancelled
        return found

    def outcomes(self) -> list[TickOutcome]:
        with self.database.reading() as session:
            return [row.outcome for row in tick_history(session)]

    def close(self) -> None:
        for watch in self.watches:
            watch.end()
        self.database.dispose()

    def look(self, *beats: NightWatch) -> None:
        for beat in beats:
            beat.look(self.database, self.now)

    def a_first_batch(self) -> None:
        eventually(lambda: self.runs() and self.runs()[0].done, what="a first batch")


def rest(watch: NightWatch) -> None:
    """Wait until nothing is at work."""
    eventually(lambda: watch.going == 0, what="the end of the night's work")
