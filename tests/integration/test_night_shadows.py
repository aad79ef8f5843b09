"""A schedule whose films a second model reads too: in the same nights, and never at the night's cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from cli.main import wetread
from schemas.states import RunState
from tests.chaos.films import draw_films
from tests.night_site import DAY, TEN, NightSite, rest
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings

FILMS = 160


@pytest.fixture
def site(tmp_path: Path) -> Iterator[NightSite]:
    draw_films(tmp_path / "archive", FILMS, seed=1)
    publish_tiny_model(None, tmp_path / "home", "other", seed=5)
    publish_tiny_model(None, tmp_path / "home")  # the last is production
    found = NightSite(tmp_path, Settings(batch_size=4))
    yield found
    found.close()


def test_both_models_read_the_same_nights_and_stop_at_the_windows_end_together(site: NightSite) -> None:
    site.add(shadow="other")
    beat = site.beat()
    site.now = TEN
    site.look(beat)
    site.a_first_batch()
    site.now = TEN + timedelta(hours=8)
    rest(beat)
    shadow, run = site.runs()
    assert (run.model, shadow.model, shadow.shadow_of) == ("tiny@1", "other@1", run.id)
    assert {(one.state, one.pending > 0) for one in (run, shadow)} == {(RunState.PAUSED, True)}
    site.now = TEN + DAY
    site.look(beat)
    rest(beat)
    ended = site.runs()
    assert [(one.id, one.state, one.done) for one in ended] == [
        (shadow.id, RunState.FINISHED, FILMS), (run.id, RunState.FINISHED, FILMS)
    ]  # fmt: skip


@pytest.mark.parametrize("shadow", ["gone", "tiny"])
def test_a_night_is_not_lost_for_a_shadow_that_cannot_read_along(site: NightSite, shadow: str) -> None:
    site.add(shadow=shadow)
    site.now = TEN
    with capture_logs() as logged:
        site.look(beat := site.beat())
        rest(beat)
    (run,) = site.runs()
    assert (run.state, run.done) == (RunState.FINISHED, FILMS)
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["a shadow does not read along"]


def test_a_shadow_is_named_listed_and_run_by_hand(site: NightSite) -> None:
    def call(*arguments: object) -> str:
        ended = CliRunner().invoke(wetread, ["schedule", *map(str, arguments)], catch_exceptions=False)
        assert ended.exit_code == 0, ended.stderr
        return ended.stdout

    call("add", "plain", site.archive, "--cron", "0 22 * * *")
    assert "shadow" not in call("list"), "only where one has any"
    call("add", "trial", site.archive, "--cron", "0 22 * * *", "--shadow", "other@1")
    header, plain, trial = (line.split("\t") for line in call("list").splitlines())
    assert [row[header.index("shadow")] for row in (plain, trial)] == ["", "other@1"]
    ran = json.loads(call("run-now", "trial", "--workers", "1", "--json"))
    assert (ran["done"], ran["shadow"]["done"], ran["shadow"]["model"]) == (FILMS, FILMS, "other@1")
