"""`wetread report` as its user runs it: an archive screened, changed, screened again, and looked at in the morning."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from cli.main import main
from schemas.states import TickKind, TickOutcome
from tests.program import Program, films, with_model
from wetread.imaging.opencv import cv2
from wetread.settings import load_settings
from wetread.store.core.database import Database
from wetread.store.roots.adding import root_ids
from wetread.store.schedules.schedule_log import attach_run, write_tick
from wetread.store.schedules.schedules import add_schedule, list_schedules

EVERY_LABEL = ("--label", "covid", "--label", "normal", "--label", "pneumonia")
STRANGE = b"<img src=x>\n\x1b[31m\xe2\x80\xae.png"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Path]:
    """An archive of 20 films, screened; then 20 that are brighter, a copy, a strange name and a text, screened too."""
    folder = tmp_path_factory.mktemp("site")
    program, archive = with_model(folder / "home"), folder / "archive"
    films(archive, patients=20, seed=3)
    (archive / "manifest.csv").unlink()
    program.json("screen", archive, "--workers", "1")
    old = sorted(path for path in archive.rglob("*") if path.is_file())
    (archive / "new").mkdir()
    for number, path in enumerate(old):
        grey = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        bright = cv2.GaussianBlur((255 * (grey / 255) ** 0.3).astype(np.uint8), (0, 0), 4)
        (archive / "new" / f"{number}.png").write_bytes(cv2.imencode(".png", bright)[1].tobytes())
    shutil.copy(archive / "new" / "0.png", archive / "new" / "copy.png")
    shutil.copy(archive / "new" / "1.png", os.path.join(os.fsencode(archive), STRANGE))
    (archive / "notes.txt").write_text("no picture")
    drifted = program.json("screen", archive, "--workers", "1", code=3)
    assert {alarm["kind"] for alarm in drifted["alarms"]} == {"drift"}
    return program, archive


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed."""

    out: str
    err: str


Report = Callable[..., Said]


@pytest.fixture
def report(site: tuple[Program, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Report:
    """`wetread report`, called in this process: the program's start takes longer than a report."""
    monkeypatch.setenv("WETREAD_HOME", str(site[0].home))

    def call(*words: object, code: int = 0) -> Said:
        monkeypatch.setattr(sys, "argv", ["wetread", "report", *map(str, words)])
        load_settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main()
        said = Said(*capsys.readouterr())
        assert ended.value.code == code, said.err
        return said

    return call


class References(HTMLParser):
    """Collects what a page could fetch or run, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [f"{name}={value}" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        self.fetched += [f"{name}={value}" for name, value in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_counts_what_the_files_are_and_says_what_moved(site: tuple[Program, Path], report: Report) -> None:
    program, _ = site
    body = program.json("report", "--max-failure-rate", "0.5", code=3)
    assert (body["run"], body["found"], body["done"], body["rejected"], body["skipped"]) == (2, 43, 22, 1, 20)
    assert body["rejected_reasons"] == {"undecodable": 1}
    assert body["earlier_runs"] == [1]
    assert sum(share["films"] for share in body["positives"].values()) + body["uncertain"]["films"] == 22
    moved = {drift["name"]: drift for drift in body["drift"]}
    assert moved["mean grey level"]["beyond"]
    assert moved["mean grey level"]["films"] == 22
    assert moved["mean grey level"]["reference_films"] == 20
    assert any("mean grey level" in alarm["message"] for alarm in body["alarms"])
    everything = json.loads(report("--json", "--films", 1000, *EVERY_LABEL, code=3).out)
    listed = everything["first"] + everything["near_threshold"]
    assert len(listed) == len({film["sha256"] for film in listed}) == 20
    assert sum(film["files"] for film in listed) == 22


def test_exit_codes_follow_the_limits(report: Report) -> None:
    report("--max-drift", "99", "--max-failure-rate", "0.5")
    late = report("--max-drift", "99", "--max-failure-rate", "0.01", code=3)
    assert "could not be read" in late.err
    report("77", code=2)
    report("--label", "flu", code=2)


def test_the_first_run_is_compared_with_the_models_validation_or_with_nothing(report: Report) -> None:
    body = json.loads(report("1", "--json", "--max-drift", "99").out)
    assert (body["earlier_runs"], body["drift"]) == ([], [])
    assert body["reference"].startswith("nothing: there is no baseline yet")


def test_the_page_fetches_and_runs_nothing_and_shows_names_as_text(report: Report, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    report("--format", "html", "--output", output, "--films", 100, *EVERY_LABEL, code=3)
    assert output.stat().st_mode & 0o777 == 0o600
    page = output.read_text()
    parsed = References()
    parsed.feed(page)
    assert parsed.fetched == []
    assert parsed.tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed"})
    assert "url(" not in page and "@import" not in page and "http" not in page.replace("http-equiv", "")
    assert "not for diagnostic use" in parsed.text
    assert "\x1b" not in page and "\u202e" not in page
    assert "<img src=x>\\n\\x1b[31m\\u202e.png" in parsed.text
    assert "mean grey level" in parsed.text
    assert {"svg", "rect"} <= parsed.tags


def test_the_tables_escape_names_and_say_that_it_is_no_diagnosis(report: Report) -> None:
    said = report("--films", 100, *EVERY_LABEL, code=3)
    assert "<img src=x>\\n\\x1b[31m\\u202e.png" in said.out
    assert "\x1b" not in said.out
    assert "not for diagnostic use" in said.err
    assert "wetread errors list 2" in said.err


def test_a_schedule_that_nobody_kept_is_reported_in_the_morning_in_every_form(
    site: tuple[Program, Path], report: Report, tmp_path: Path
) -> None:
    program, archive = site
    database = Database(f"sqlite:///{program.home}/results.db")
    added = datetime.now(UTC) - timedelta(hours=30)
    with database.writing() as session:
        add_schedule(
            session, name="three-hourly", root_ids=root_ids(session, [os.fsencode(archive)]), cron="30 */3 * * *",
            timezone="Asia/Kolkata", window=None, model="production", engine="numpy", missed="run", now=added,
        )  # fmt: skip
    database.dispose()
    body = json.loads(report("--nightly", "--json", code=3).out)
    missed = len(body["nights"])
    assert (body["run"], body["schedule"], missed in (9, 10)) == (None, "three-hourly", True)
    assert {(night["outcome"], night["note"], night["due"][-6:]) for night in body["nights"]} == {
        ("missed", "no beat ran", "+05:30")
    }
    assert [alarm["kind"] for alarm in body["alarms"]] == ["night_missed"]
    assert [alarm["message"] for alarm in body["alarms"]] == [
        f"The night of {body['nights'][0]['due'][:16].replace('T', ' ')} was missed: no beat ran."
    ]
    said = report("--nightly", "three-hourly", code=3)
    assert "# nights of three-hourly without a run" in said.out
    assert "look into this: The night of" in said.err
    output = tmp_path / "none.html"
    report("--nightly", "--format", "html", "--output", output, code=3)
    assert "three-hourly: no run yet" in output.read_text()
    with database.writing() as session:
        (schedule,) = [row.id for row in list_schedules(session)]
        write_tick(session, schedule, added, TickKind.MANUAL, TickOutcome.DUE, None)
        attach_run(session, schedule, 2)
    database.dispose()
    body = json.loads(report("--nightly", "--json", "--max-drift", 99, "--max-failure-rate", 1, code=3).out)
    assert (body["run"], len(body["nights"]), len(body["alarms"])) == (2, missed, 1)
    report("--nightly", "--format", "html", "--output", output, code=3)
    page = output.read_text()
    assert "Run 2: finished" in page and page.count("no beat ran") == missed + 1
