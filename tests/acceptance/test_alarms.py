"""What was not read is said by every command, and a night that did not read everything ends red."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.calling import Ended, add_schedule, call, kinds
from tests.chaos.films import draw_films
from tests.program import REPOSITORY, Program
from tests.tiny_model import publish_tiny_model
from wetread.report import morning
from wetread.settings import load_settings
from wetread.store.core.database import Database
from wetread.store.runs.totals import read_totals

FILMS = 4


def call_as_ordinary_user(tmp_path: Path, *words: object) -> Ended:
    """Call `wetread` as one whose permissions count."""
    program = Program(tmp_path / "home")
    script = REPOSITORY / "tests" / "hostile" / "ordinary_user.py"
    ended = subprocess.run(
        [sys.executable, script, tmp_path / "memory", sys.executable, "-m", "cli", *map(str, words)],
        env=program.env(), capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def alarm_of_every_command(run: int, kind: str, *, schedule: str | None = None) -> dict[str, Any]:
    """Return the alarm, after looking that every command that is asked of the run shows it, and the metrics do."""
    status, listed = call("status", run, "--json"), call("runs", "list", "--json")
    report = call("report", *(["--nightly", schedule] if schedule else [run]), "--json")
    assert (status.code, listed.code, report.code) == (0, 0, 3)
    of_run = next(row for row in listed.json if row["run"] == run)
    for body in (status.json, of_run, report.json):
        assert kind in kinds(body), body
    said = next(alarm["message"] for alarm in status.json["alarms"] if alarm["kind"] == kind)
    for command in (["status", run], ["runs", "list"], ["report", run]):
        assert said in call(*command).err, command
    database = Database(load_settings().database)
    with database.reading() as session:
        assert read_totals(session).alarms[kind] >= 1
    database.dispose()
    return next(alarm for alarm in status.json["alarms"] if alarm["kind"] == kind)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    draw_films(tmp_path / "archive", FILMS, seed=1)
    publish_tiny_model(None, tmp_path / "home")
    return tmp_path / "archive"


def test_a_night_whose_archive_is_away_is_red(archive: Path, tmp_path: Path) -> None:
    assert add_schedule(archive).code == 0
    archive.rename(tmp_path / "away")
    assert call("schedule", "run-now", "nightly", "--workers", 1).code == 4
    alarm = alarm_of_every_command(1, "root_not_reached", schedule="nightly")
    assert str(archive) in alarm["message"] and alarm["details"] == {"state": "paused", "pending": 0}
    page = tmp_path / "page.html"
    assert call("report", "--nightly", "--format", "html", "--output", page).code == 3
    assert "Nothing is past its limit" not in page.read_text() and "is paused" in page.read_text()
    (tmp_path / "away").rename(archive)
    assert call("schedule", "run-now", "nightly", "--workers", 1).code == 0
    assert (call("report", "--nightly", "--json").json["alarms"], call("status", "--json").json["alarms"]) == ([], [])


def test_a_night_by_hand_ends_as_a_screening_does(archive: Path) -> None:
    for number in range(FILMS + 1):
        (archive / f"{number}.txt").write_text(f"no film, {number}")
    assert add_schedule(archive).code == 0
    night = call("schedule", "run-now", "nightly", "--workers", 1, "--json")
    assert (night.code, night.json["done"], kinds(night.json)) == (3, FILMS, ["failure_rate"])
    draw_films(archive / "more", 2, seed=7)
    borne = call("schedule", "run-now", "nightly", "--workers", 1, "--json", "--max-failure-rate", 1)
    assert (borne.code, borne.json["alarms"]) == (0, [])


def test_a_root_that_holds_nothing_where_films_were_is_red(archive: Path, tmp_path: Path) -> None:
    assert call("screen", archive, "--workers", 1).code == 0
    archive.rename(tmp_path / "away")
    (archive / "empty").mkdir(parents=True)
    assert call("screen", archive, "--workers", 1).code == 4
    alarm_of_every_command(2, "nothing_found")


def test_a_folder_that_may_not_be_opened_is_named_until_somebody_looks_into_it(archive: Path, tmp_path: Path) -> None:
    draw_films(archive / "closed", 3, seed=2)
    draw_films(archive / "unsearched", 2, seed=3)
    (archive / "closed").chmod(0)
    (archive / "unsearched").chmod(0o444)
    screened = call_as_ordinary_user(tmp_path, "screen", archive, "--json", "--max-failure-rate", 0)
    assert (screened.code, screened.json["found"], screened.json["unreadable_directories"]) == (3, FILMS, 2)
    assert kinds(screened.json) == ["directories_not_read"]
    alarm = alarm_of_every_command(1, "directories_not_read")
    assert alarm["details"] == {"unreadable_directories": 2}
    listed = call("errors", "list", "--json").json
    assert [(row["path"], row["state"], row["reason"], row["detail"]) for row in listed] == [
        (str(archive / name), "unread", "unreadable_directory", "Permission denied")
        for name in ("closed", "unsearched")
    ]
    assert f"{archive}/closed\tPermission denied" in call("errors", "list", 1).out
    assert call("errors", "list", "--reason", "truncated", "--json").json == []
    assert len(call("errors", "list", "--reason", "unreadable_directory", "--json").json) == 2

    without = ["--exclude", "/closed/", "--exclude", "unsearched"]
    excluded = call_as_ordinary_user(tmp_path, "screen", archive, "--json", *without)
    assert (excluded.code, excluded.json["alarms"], excluded.json["run"]) == (0, [], 2)
    assert excluded.json["exclude"] == ["/closed/", "unsearched"]
    assert call("errors", "list", "--json").json == []
    assert "--exclude /closed/ --exclude unsearched" in call("runs", "list").out

    (archive / "closed").chmod(0o755)
    (archive / "unsearched").chmod(0o755)
    opened = call("screen", archive, "--json", "--workers", 1)
    assert (opened.code, opened.json["done"], opened.json["alarms"]) == (0, 5, [])
    assert call("errors", "list", "--json").json == []


def test_films_in_a_folder_that_closes_have_not_vanished(archive: Path, tmp_path: Path) -> None:
    draw_films(archive / "closed", 3, seed=2)
    assert call("screen", archive, "--workers", 1, "--json").json["done"] == FILMS + 3
    (archive / "closed").chmod(0)
    again = call_as_ordinary_user(tmp_path, "screen", archive, "--force", "--json").json
    assert (again["found"], again["rejected"], kinds(again)) == (FILMS, 0, ["directories_not_read"])
    assert len(call("results", "list", "--path", archive / "closed", "--json").json) == 3


def test_a_root_of_links_alone_is_refused_until_they_are_followed(archive: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    films = sorted(file for file in archive.rglob("*") if file.is_file())
    for film in films[:3]:
        (cohort / film.name).symlink_to(film)
    (cohort / "again").symlink_to(films[0])
    (cohort / "cycle").symlink_to(cohort)
    for command in (["screen", cohort], ["schedule", "add", "links", cohort, "--cron", "0 1 * * *"], ["watch", cohort]):
        refused = call(*command)
        assert (refused.code, "nothing but links" in refused.err, "--follow-links" in refused.err) == (2, True, True)
    assert call("runs", "list", "--json").json == [], "no run was made"
    outside = call("screen", cohort, "--follow-links")
    assert (outside.code, "lead out of it" in outside.err, "--allow ROOT" in outside.err) == (2, True, True)

    followed = call("screen", cohort, "--follow-links", "--allow", archive, "--json", "--workers", 1)
    assert (followed.code, followed.json["found"], followed.json["done"]) == (0, 3, 3)
    rows = call("results", "list", "--json").json
    assert {row["path"] for row in rows} == {str(film) for film in films[:3]}, "each film under its real path, once"
    whole = call("screen", archive, "--json", "--workers", 1).json
    assert (whole["done"], whole["skipped"]) == (1, 3)

    (cohort / "folder").symlink_to(archive)
    (archive / "up").symlink_to(cohort)
    folder = call("screen", cohort, "--follow-links", "--allow", archive, "--json", "--workers", 1).json
    assert (folder["found"], folder["skipped"]) == (FILMS, FILMS)


def test_links_that_come_alone_in_a_night_are_an_alarm(archive: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    assert add_schedule(inbox).code == 0
    (inbox / "film").symlink_to(next(file for file in archive.rglob("*") if file.is_file()))
    assert call("schedule", "run-now", "nightly", "--workers", 1).code == 3
    assert alarm_of_every_command(1, "links_alone", schedule="nightly")["details"] == {"links": 1, "found": 0}


def test_a_file_of_another_century_is_read(archive: Path) -> None:
    films = sorted(file for file in archive.rglob("*") if file.is_file())
    for film, year in ((films[0], 2300), (films[1], 1600)):
        subprocess.run(["touch", "-d", f"{year}-01-01", film], check=True)
    if os.stat(films[0]).st_mtime_ns < 2**63:
        pytest.skip("this file system keeps no time after 2262")
    first = call("screen", archive, "--json", "--workers", 1)
    assert (first.code, first.json["done"]) == (0, FILMS)
    assert "before 1677 or after 2262" in first.err
    assert call("screen", archive, "--json", "--workers", 1).json["skipped"] == FILMS


def test_numbers_of_deleted_runs_are_not_given_again(archive: Path) -> None:
    for number in (1, 2):
        assert call("screen", archive, "--workers", 1, "--json").json["run"] == number
    assert call("runs", "delete", 2, "--yes").code == 0
    assert call("runs", "delete", 1, "--yes").code == 0
    assert call("screen", archive, "--workers", 1, "--json").json["run"] == 3


def test_a_resumed_run_has_its_own_patterns(archive: Path, tmp_path: Path) -> None:
    draw_films(archive / "old", 2, seed=5)
    archive.rename(tmp_path / "away")
    archive.mkdir()
    (archive / "new").mkdir()
    away = call("screen", archive, "--exclude", "old/", "--json", "--workers", 1)
    assert (away.code, kinds(away.json)) == (3, ["nothing_found"])
    database = Database(load_settings().database)
    with database.writing() as session:
        session.execute(text("UPDATE runs SET state = 'interrupted', walked_at = NULL"))
    database.dispose()
    (archive / "new").rmdir()
    archive.rmdir()
    (tmp_path / "away").rename(archive)
    assert call("screen", archive, "--json", "--workers", 1).json["run"] == 2, "another order than run 1's"
    resumed = call("runs", "resume", 1, "--json", "--workers", 1).json
    assert (resumed["run"], resumed["found"], resumed["exclude"]) == (1, FILMS, ["old/"])


def test_a_first_night_has_no_drift_alarm_against_the_models_validation(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(morning, "validation_scores", lambda *_: [(0.1, 14_999), (0.3, 1)])
    assert call("screen", archive, "--workers", 1).code == 0
    report = call("report", "--json", "--max-drift", 0)
    assert (report.code, report.json["alarms"], report.json["has_baseline"]) == (0, [], False)
    assert "there is no baseline yet" in report.json["reference"]
    (drift,) = report.json["drift"]
    assert drift["psi"] > drift["chance"], "it is far from the validation films, and that is no alarm"
    assert drift["beyond"] is False
