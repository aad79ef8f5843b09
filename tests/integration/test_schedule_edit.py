"""`wetread schedule edit`, and what `add` says of time zones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import wetread
from schemas.errors import UsageError
from tests.tiny_model import publish_tiny_model


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for name in ("archive", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("no film")
    publish_tiny_model(None, tmp_path / "home")
    publish_tiny_model(None, tmp_path / "home", "second", seed=3)
    return tmp_path / "archive"


def call(*words: object) -> Result:
    return CliRunner().invoke(wetread, ["schedule", *map(str, words)], catch_exceptions=False)


def listed() -> dict[str, Any]:
    (row,) = json.loads(call("list", "--json").stdout)
    return dict(row)


def add(archive: Path, *options: object) -> Result:
    return call("add", "nightly", archive, "--cron", "0 22 * * *", *options)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Europe/Pariss", "Europe/Paris"), ("europe/paris", "Europe/Paris"), ("Paris", "Europe/Paris"),
        ("America/New York", "America/New_York"), ("Asia/Calcuta", "Asia/Calcutta"), ("Berlin", "Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_time_zone_that_is_nearly_right_is_suggested(archive: Path, typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match="expected a time zone") as refused:
        add(archive, "--timezone", typed)
    assert "did you mean" in str(refused.value) and meant in str(refused.value)


def test_a_time_zone_that_is_none_is_refused_without_a_guess(archive: Path) -> None:
    with pytest.raises(UsageError, match=r"found 'xyzzy'$"):
        add(archive, "--timezone", "xyzzy")


def test_utc_is_said_where_no_time_zone_was_given(archive: Path) -> None:
    assert "no --timezone was given: its hours are those of UTC" in add(archive).stderr
    call("remove", "nightly")
    given = add(archive, "--timezone", "Europe/Paris").stderr
    assert "(Europe/Paris)" in given and "UTC" not in given


def test_what_is_named_changes_and_the_rest_stays(archive: Path, tmp_path: Path) -> None:
    add(archive, "--window", "22:00-06:00", "--exclude", "old/", "--shadow", "tiny@1", "--model", "second@1")
    before = listed()
    assert (before["exclude"], before["shadow"]) == (["old/"], "tiny@1")
    said = call("edit", "nightly", "--timezone", "Asia/Tokyo", "--exclude", "*.txt", "--exclude", "/tmp")
    assert "(Asia/Tokyo)" in said.stderr
    after = listed()
    changed = {"timezone": "Asia/Tokyo", "exclude": ["*.txt", "/tmp"], "next": after["next"]}
    assert after == before | changed
    assert after["next"].endswith("T22:00+09:00")
    call("edit", "nightly", "--window", "always", "--shadow", "none", "--exclude-nothing", "--missed", "skip")
    assert listed() == after | {"window": None, "shadow": None, "exclude": [], "missed": "skip"}
    call("edit", "nightly", tmp_path / "other", archive)
    assert listed()["directories"] == [str(archive), str(tmp_path / "other")]


def test_accepted_words_and_links_change_as_patterns_do(archive: Path, tmp_path: Path) -> None:
    add(archive, "--accept-body-part", "THORAX_AP", "--accept-view", "XX")
    before = listed()
    assert before["accepts"] == {"modalities": [], "body_parts": ["THORAX_AP"], "views": ["XX"]}
    call("edit", "nightly", "--accept-body-part", "BRUST", "--follow-links", "--allow", tmp_path / "other")
    after = listed()
    words, links = {"modalities": [], "body_parts": ["BRUST"], "views": ["XX"]}, [str(tmp_path / "other")]
    assert after == before | {"accepts": words, "follow_links": True, "allow": links}
    call("edit", "nightly", "--exclude", "old/")
    assert listed() == after | {"exclude": ["old/"]}, "what is not named stays"
    call("edit", "nightly", "--accept-nothing", "--no-follow-links")
    assert listed() == after | {"exclude": ["old/"], "accepts": None, "follow_links": False, "allow": []}


def test_a_table_says_what_of_a_schedule_is_not_usual(archive: Path) -> None:
    add(archive)
    assert "THORAX_AP" not in call("list").stdout
    call("edit", "nightly", "--accept-body-part", "THORAX_AP", "--follow-links")
    assert "--follow-links --accept-body-part THORAX_AP" in call("list").stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "found nothing"), (("--cron", "every night"), "cron expression"),
        (("--timezone", "Paris"), "Europe/Paris"), (("--window", "23:00"), "a window"),
        (("--model", "no-such"), "no-such"),
        (("--exclude", "a", "--exclude-nothing"), "found both"),
        (("--accept-view", "a", "--accept-nothing"), "found both"), (("--allow", "."), "--follow-links"),
        (("--shadow", "tiny@1"), "the same"),
        (("--cron", "0 12 * * *", "--window", "22:00-06:00"), "inside the window"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_changes(archive: Path, options: tuple[str, ...], why: str) -> None:
    add(archive, "--model", "tiny@1")
    before = listed()
    with pytest.raises(UsageError, match=why):
        call("edit", "nightly", *options)
    assert listed() == before


def test_a_schedule_that_is_none_is_named(archive: Path) -> None:
    add(archive)
    with pytest.raises(UsageError, match="none named 'nigthly'; there are: 'nightly'"):
        call("edit", "nigthly", "--missed", "skip")


def test_what_a_schedule_fetches_is_changed_without_making_it_anew(archive: Path) -> None:
    from wetread.clock import utc_now
    from wetread.settings import Settings
    from wetread.store.core.database import Database
    from wetread.store.core.migrating import ensure_schema
    from wetread.store.received.peers import Calls, Peer, add_peer

    database = Database(Settings().database)
    ensure_schema(database)
    with database.writing() as session:
        add_peer(session, Peer("pacs", "ORTHANC", "127.0.0.1", utc_now(), Calls(port=104)))
    database.dispose()
    assert call("add", "pacs night", "pacs:pacs", "--cron", "0 22 * * *", "--pace", "60").exit_code == 0
    before = listed()["pull"]
    call("edit", "pacs night", "--pace", "30", "--last-days", "5", "--via", "move", "--connections", "4")
    changed = {"pace": 30.0, "days": 5, "via": "move", "connections": 4}
    assert listed()["pull"] == before | changed
    call("edit", "pacs night", "--pace", "0", "--window", "22:00-06:00")
    assert listed()["pull"] == before | changed | {"pace": None}
    add(archive)
    with pytest.raises(UsageError, match="expected a schedule of pacs:PEER"):
        call("edit", "nightly", "--pace", "30")
