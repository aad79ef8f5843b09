"""The harness itself: an undisturbed run passes its comparison, and a disturbed database does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.accounting import assert_nothing_lost
from tests.program import Program


def test_an_undisturbed_run_loses_nothing_and_the_comparison_sees_each_kind_of_loss(
    embedded: Program, drawn: Path
) -> None:
    embedded.json("screen", drawn, "--workers", 2)
    assert_nothing_lost(embedded, drawn)
    losses = (
        "DELETE FROM predictions WHERE id = (SELECT max(id) FROM predictions)",
        "UPDATE work_items SET current = 0 WHERE rowid = (SELECT max(rowid) FROM work_items)",
        "UPDATE work_items SET state = 'pending' WHERE rowid = (SELECT max(rowid) FROM work_items)",
        "UPDATE batches SET owner = 'someone' WHERE id = (SELECT max(id) FROM batches)",
    )
    sound = embedded.home / "results.db"
    saved = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(sound)) as connection:
        connection.backup(saved)
    for loss in losses:
        with closing(sqlite3.connect(sound)) as connection:
            connection.execute(loss)
            connection.commit()
        with pytest.raises(AssertionError):
            assert_nothing_lost(embedded, drawn)
        with closing(sqlite3.connect(sound)) as connection:
            saved.backup(connection)
    assert_nothing_lost(embedded, drawn)
    saved.close()
