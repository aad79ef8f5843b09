"""`wetread schedule` as its user types it: run now, paused, resumed, and what the history says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import wetread
from schemas.errors import UsageError
from tests.chaos.films import draw_films
from tests.tiny_model import publish_tiny_model


def call(*arguments: object) -> Any:
    """Return what `wetread schedule ... --json` printed; a fault of ours is raised."""
    ended = CliRunner().invoke(wetread, ["schedule", *map(str, arguments), "--json"], catch_exceptions=False)
    assert ended.exit_code == 0, ended.stderr
    return json.loads(ended.stdout)


def said(*arguments: object) -> str:
    return CliRunner().invoke(wetread, ["schedule", *map(str, arguments)], catch_exceptions=False).stderr


def test_a_schedule_is_run_by_hand_rests_and_is_listed(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    draw_films(archive, 9, seed=1)
    publish_tiny_model(None, tmp_path / "home")
    added = call("add", "nightly", archive, "--cron", "0 22 * * *", "--window", "22:00-06:00")
    assert (added["state"], added["window"], added["last_run"]) == ("active", "22:00-06:00", None)
    assert [said("pause", "nightly") for _ in range(2)] == ["nightly is paused\n", "nightly was paused already\n"]
    (paused,) = call("list")
    assert (paused["state"], paused["next"]) == ("paused", None)

    ran = call("run-now", "nightly", "--workers", "1")
    assert (ran["run"], ran["state"], ran["found"], ran["done"]) == (1, "finished", 9, 9)
    again = call("run-now", "nightly", "--workers", "1")
    assert (again["run"], again["done"], again["skipped"]) == (2, 0, 9)

    newest, first = call("history", "nightly")
    for row, run, done in ((newest, 2, 0), (first, 1, 9)):
        assert (row["kind"], row["outcome"], row["run"], row["state"]) == ("manual", "started", run, "finished")
        assert (row["found"], row["done"], row["pending"], row["note"]) == (9, done, 0, "by hand")

    assert [said("resume", "nightly") for _ in range(2)] == ["nightly runs again\n", "nightly was not paused\n"]
    (listed,) = call("list")
    assert (listed["state"], listed["last_run"]) == ("active", 2)
    assert "T22:00+00:00" in listed["next"]
    with pytest.raises(UsageError, match="none named 'daily'; there are: 'nightly'"):
        call("run-now", "daily")
