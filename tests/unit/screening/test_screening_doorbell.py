"""When a command rings for its run's batches: at once while workers may want more, seldom while they have plenty."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

import wetread.queue
from screening.doorbell import LONGEST_PAUSE, Doorbell
from wetread.queue import Rung
from wetread.settings import Settings
from wetread.store.core.database import Database

LOOK = 0.2


@pytest.mark.parametrize(
    ("rung", "every"),
    [
        (Rung(0, 0), LOOK),  # the last batches are in hand
        (Rung(256, 0), LOOK),  # the walk has only begun
        (Rung(40, 216), LOOK),  # many workers: the broker is empty within a second
        (Rung(1, 12), 3 * LOOK),
        (Rung(0, 150), LONGEST_PAUSE),
        (Rung(1, 255), LONGEST_PAUSE),
    ],
)
def test_the_next_ring_comes_when_what_waits_may_run_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rung: Rung, every: float
) -> None:
    clock, rings = [100.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(wetread.queue, "make_app", lambda _: None)
    monkeypatch.setattr(wetread.queue, "ring_waiting", lambda *_: rings.append(clock[0]) or rung)
    database = Database(f"sqlite:///{tmp_path}/results.db")
    bell = Doorbell(database, Settings())
    for _ in range(30):
        bell.watch(LOOK)
    database.dispose()
    assert {round(later - sooner, 6) for sooner, later in pairwise(rings)} == {round(every, 6)}
