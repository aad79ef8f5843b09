"""`wetread schedule` as its user types it: run now, paused, resumed, and what the history says."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.films import draw_films
from tests.program import with_model


def test_a_schedule_is_run_by_hand_rests_and_is_listed(tmp_path: Path) -> None:
    program, archive = with_model(tmp_path / "home"), tmp_path / "archive"
    draw_films(archive, 9, seed=1)
    added = program.json("schedule", "add", "nightly", archive, "--cron", "0 22 * * *", "--window", "22:00-06:00")
    assert (added["state"], added["window"], added["last_run"]) == ("active", "22:00-06:00", None)
    assert program.run("schedule", "pause", "nightly").stderr == "nightly is paused\n"
    (paused,) = program.json("schedule", "list")
    assert (paused["state"], paused["next"]) == ("paused", None)

    ran = program.json("schedule", "run-now", "nightly", "--workers", "1")
    assert (ran["run"], ran["state"], ran["found"], ran["done"]) == (1, "finished", 9, 9)
    again = program.json("schedule", "run-now", "nightly", "--workers", "1")
    assert (again["run"], again["done"], again["skipped"]) == (2, 0, 9)

    newest, first = program.json("schedule", "history", "nightly")
    for row, run, done in ((newest, 2, 0), (first, 1, 9)):
        assert (row["kind"], row["outcome"], row["run"], row["state"]) == ("manual", "started", run, "finished")
        assert (row["found"], row["done"], row["pending"], row["note"]) == (9, done, 0, "by hand")

    assert program.run("schedule", "resume", "nightly").stderr == "nightly runs again\n"
    (listed,) = program.json("schedule", "list")
    assert (listed["state"], listed["last_run"]) == ("active", 2)
    assert "T22:00+00:00" in listed["next"]
    unknown = program.run("schedule", "run-now", "daily")
    assert unknown.returncode == 2
    assert "none named 'daily'; there are: 'nightly'" in unknown.stderr
