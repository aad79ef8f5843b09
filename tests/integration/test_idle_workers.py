"""An embedded worker process that has nothing to do asks the database seldom, and at once again when work came."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from sqlalchemy import event

from tests.screened import RunKit, done
from wetread.store.core.database import Database
from worker.child import _serve
from worker.read_ahead import ReadAhead

QUERIES_A_LOOK = 2


class Clock(threading.Event):
    """A stop that comes after `seconds` of waiting, which take no time. at: {second: what is done then}."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.left, self.waits = seconds, list[float]()

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        self.left -= timeout or 0.0
        if self.left <= 0:
            self.set()
        return self.is_set()


def test_a_minute_without_films_costs_some_hundred_looks_and_a_film_is_read_at_once(
    kit: RunKit, database: Database
) -> None:
    run = kit.open().id
    asked: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    idle = Clock(60.0)
    read: list[int] = []

    def process_batch(batch: int, _upcoming: object) -> None:
        read.append(batch)
        held = kit.claim(batch)
        assert held is not None
        kit.settle(held, [done(item) for item in held.items])

    worker: Any = SimpleNamespace(database=database, process_batch=process_batch, files=ReadAhead())
    _serve(worker, (run,), idle)
    selects = [query for query in asked if query.lstrip().upper().startswith("SELECT")]
    assert len(selects) <= 140 * QUERIES_A_LOOK, "every 0.05 s it would be 1,200 looks"
    assert max(idle.waits) == 0.5, "so long a film that comes now waits, at most"
    recorded = kit.record(run, [b"a.png"])
    again = Clock(0.2)
    _serve(worker, (run,), again)
    assert read == list(recorded.batch_ids)
    assert again.waits[0] == 0.05, "after work it looks soon again"
