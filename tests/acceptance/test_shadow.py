"""`wetread screen DIR --model A --shadow B`, as a user runs it, embedded and served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program, films, kill_group
from tests.tiny_model import publish_tiny_model

COUNTS = ("found", "pending", "done", "rejected", "dead", "cancelled", "skipped")


class Site:
    """A program with two models, `tiny` in production and `other`, and an archive."""

    def __init__(self, home: Path, environment: dict[str, str], archive: Path) -> None:
        self.program = Program(home, environment)
        self.archive = archive
        url = environment.get("WETREAD_DATABASE_URL")
        self.other = publish_tiny_model(url, home, "other", seed=5)
        self.tiny = publish_tiny_model(url, home)

    def screen(self, *options: object, code: int = 0) -> Any:
        found = self.program.json("screen", self.archive, *options, code=code)
        for account in (found, found.get("shadow", found)):
            assert account["found"] == sum(account[name] for name in COUNTS[1:])
        return found

    def readings(self, model: str) -> dict[str, Any]:
        return {row["path"]: row for row in self.program.lines("results", "list", "--model", model)}


def more_films(directory: Path, patients: int) -> None:
    films(directory, patients=patients, seed=len(directory.name))
    (directory / "manifest.csv").unlink()


@pytest.fixture(params=["embedded", "served"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    archive = tmp_path / "archive"
    more_films(archive, 6)
    (archive / "notes.txt").write_text("no film")
    if request.param == "embedded":
        yield Site(tmp_path / "home", {}, archive)
        return
    urls = {
        "WETREAD_BROKER_URL": request.getfixturevalue("redis_url"),
        "WETREAD_DATABASE_URL": request.getfixturevalue("postgres_url"),
        "WETREAD_SWEEP_SECONDS": "0.3",
    }
    made = Site(tmp_path / "home", urls, archive)
    worker = made.program.start("worker", "--concurrency", 1)
    try:
        yield made
    finally:
        kill_group(worker)


def test_both_models_read_each_film_and_each_keeps_accounts_of_its_own(site: Site) -> None:
    found = site.screen("--shadow", "other")
    assert [found[name] for name in COUNTS] == [7, 0, 6, 1, 0, 0, 0]
    assert [found["shadow"][name] for name in COUNTS] == [7, 0, 6, 1, 0, 0, 0]
    assert (found["model"], found["shadow"]["model"]) == ("tiny@1", "other@1")
    assert found["shadow"]["shadow_of"] == found["run"]
    mine, theirs = site.readings("tiny"), site.readings("other")
    assert set(mine) == set(theirs)
    assert {row["model_digest"] for row in theirs.values()} == {site.other}
    films_read = [path for path in mine if mine[path]["state"] == "done"]
    assert len(films_read) == 6
    assert all(mine[path]["sha256"] == theirs[path]["sha256"] for path in mine)
    assert any(mine[path]["probability"] != theirs[path]["probability"] for path in films_read)
    status = site.program.json("status")
    assert (status["run"], status["shadow"]["run"]) == (found["run"], found["shadow"]["run"])

    more_films(site.archive / "new", 1)
    site.screen()
    again = site.screen("--shadow", "other")
    assert (again["done"], again["skipped"]) == (0, 8), "the new film was read by one alone"
    assert (again["shadow"]["done"], again["shadow"]["skipped"]) == (1, 7)


def test_workers_that_are_killed_lose_nothing_of_either(tmp_path: Path) -> None:
    more_films(tmp_path / "archive", 6)
    (tmp_path / "counts").mkdir()
    faults = "before_commit:kill:1,committed:kill:1"
    environment = {"WETREAD_FAILPOINT": faults, "WETREAD_FAILPOINT_COUNTS": str(tmp_path / "counts")}
    site = Site(tmp_path / "home", environment, tmp_path / "archive")
    found = site.screen("--shadow", "other", "--workers", 1)
    assert len(list((tmp_path / "counts").iterdir())) == 2, "both kills happened"
    for account in (found, found["shadow"]):
        assert [account[name] for name in COUNTS] == [6, 0, 6, 0, 0, 0, 0]


def test_a_shadow_that_is_no_other_model_is_refused_before_anything_begins(tmp_path: Path) -> None:
    more_films(tmp_path / "archive", 1)
    site = Site(tmp_path / "home", {}, tmp_path / "archive")
    ended = site.program.run("screen", site.archive, "--shadow", "tiny")
    assert (ended.returncode, "expected another model than tiny@1" in ended.stderr) == (2, True)
    assert site.program.json("runs", "list") == []
