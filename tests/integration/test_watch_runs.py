"""The two runs of a watch's day, without a process that reads."""

from __future__ import annotations

from pathlib import Path

from schemas.reasons import Reason
from schemas.states import RunState
from screening.watch_runs import WatchRuns
from tests.screened import rejected
from tests.tiny_model import publish_tiny_model
from wetread.store.core.database import Database
from wetread.store.images.recording import FoundFile, RunToFill
from wetread.store.roots.adding import root_ids
from wetread.store.runs.accounts import run_account
from wetread.store.runs.lifecycle import set_state
from wetread.store.work.leases import claim, next_batches
from wetread.store.work.settling import settle


def lose(database: Database, run: RunToFill) -> None:
    """Settle what a run and its shadow have pending as a worker does that does not find the files."""
    with database.writing() as session:
        (batch,) = next_batches(session, [run.id], 2)
        held = claim(session, batch, "w:1:1", 60.0)
        assert held is not None
        for one in (held, *held.riders):
            settle(session, one, [rejected(item, Reason.VANISHED) for item in one.items])


def test_a_shadow_that_was_cancelled_stays_so_when_films_are_tried_again(database: Database, tmp_path: Path) -> None:
    models = (
        publish_tiny_model(database.url, tmp_path / "home"),
        publish_tiny_model(database.url, tmp_path / "home", "other", seed=5),
    )
    with database.writing() as session:
        (root,) = root_ids(session, [b"/archive"])
        runs = WatchRuns.open(session, [root], models, "numpy", 4)
        runs.record(session, root, [FoundFile(b"a.png", 100, 1)], again=False)
    assert runs.shadow is not None
    lose(database, runs.run)
    with database.writing() as session:
        set_state(session, runs.shadow.id, RunState.CANCELLED)
    with database.writing() as session:
        runs.record(session, root, [FoundFile(b"a.png", 100, 1)], again=True)
    with database.reading() as session:
        mine, beside = (run_account(session, run.id) for run in runs.each)
    assert (mine.state, mine.pending) == (RunState.RUNNING, 1)
    assert (beside.state, beside.pending, beside.rejected) == (RunState.CANCELLED, 0, 1)
