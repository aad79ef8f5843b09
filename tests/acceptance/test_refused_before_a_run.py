"""What cannot be read with is refused before a run is made; a night that meets it ends red."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.calling import add_schedule, call, kinds
from tests.chaos.films import draw_films
from tests.tiny_model import publish_tiny_model
from wetread.settings import load_settings
from wetread.store.core.database import Database
from wetread.store.schedules.schedules import change_schedule, find_schedule


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    draw_films(tmp_path / "archive", 4, seed=1)
    publish_tiny_model(None, tmp_path / "home")
    return tmp_path / "archive"


@pytest.fixture
def without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow is not installed, as far as this process can tell."""

    class Hidden:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] in {"tensorflow", "keras"}:
                raise ModuleNotFoundError(name)

    for name in [name for name in sys.modules if name.partition(".")[0] in {"tensorflow", "keras"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hidden(), *sys.meta_path])


@pytest.mark.usefixtures("without_tensorflow")
def test_an_engine_that_is_absent_is_refused_before_a_run_is_made(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["screen", archive], ["watch", archive], ["schedule", "add", "k", archive, "--cron", "0 1 * * *"]):
        refused = call(*command, "--engine", "keras")
        assert (refused.code, "make keras" in refused.err) == (2, True), refused
    assert call("runs", "list", "--json").json == [] and call("schedule", "list", "--json").json == []
    monkeypatch.setenv("WETREAD_BROKER_URL", "redis://127.0.0.1:1/0")
    served = add_schedule(archive, "--engine", "keras")
    assert (served.code, "warning: --engine keras needs" in served.err) == (0, True)


@pytest.mark.usefixtures("without_tensorflow")
def test_a_night_whose_engine_has_gone_is_red(archive: Path) -> None:
    assert add_schedule(archive).code == 0
    database = Database(load_settings().database)
    with database.writing() as session:
        found = find_schedule(session, "nightly")
        change_schedule(session, replace(found, engine="keras"), found.created_at)
    database.dispose()
    assert call("schedule", "run-now", "nightly", "--workers", 1).code == 1
    report = call("report", "--nightly", "--json")
    assert (report.code, kinds(report.json)) == (3, ["night_failed"])
    assert "--engine keras needs tensorflow" in report.json["alarms"][0]["message"]


def test_a_model_that_was_altered_is_refused_before_a_run_is_made(archive: Path, tmp_path: Path) -> None:
    weights = next((tmp_path / "home" / "models").rglob("weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    refused = call("screen", archive, "--workers", 1)
    assert refused.code == 5
    assert call("runs", "list", "--json").json == [], "no run was made"


def test_patterns_that_name_nothing_are_refused(archive: Path) -> None:
    for pattern in ("", "#old", "\\"):
        refused = call("screen", archive, "--exclude", pattern)
        assert (refused.code, "--exclude" in refused.err) == (2, True)
    assert call("screen", archive, "--allow", archive).code == 2
