"""`wetread report` as its user runs it: an archive screened, changed, screened again, and looked at in the morning."""

from __future__ import annotations

import os
import shutil
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.program import Program, films, with_model

STRANGE = b"<img src=x>\n\x1b[31m\xe2\x80\xae.png"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Path]:
    """An archive of 40 films, screened; then 40 that are brighter, a copy, a strange name and a text, screened too."""
    folder = tmp_path_factory.mktemp("site")
    program, archive = with_model(folder / "home"), folder / "archive"
    films(archive, patients=40, seed=3)
    (archive / "manifest.csv").unlink()
    program.json("screen", archive)
    old = sorted(path for path in archive.rglob("*") if path.is_file())
    (archive / "new").mkdir()
    for number, path in enumerate(old):
        grey = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        bright = cv2.GaussianBlur((255 * (grey / 255) ** 0.3).astype(np.uint8), (0, 0), 4)
        (archive / "new" / f"{number}.png").write_bytes(cv2.imencode(".png", bright)[1].tobytes())
    shutil.copy(archive / "new" / "0.png", archive / "new" / "copy.png")
    shutil.copy(archive / "new" / "1.png", os.path.join(os.fsencode(archive), STRANGE))
    (archive / "notes.txt").write_text("no picture")
    program.json("screen", archive)
    return program, archive


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


def test_the_report_counts_what_the_files_are_and_says_what_moved(site: tuple[Program, Path]) -> None:
    program, _ = site
    body = program.json("report", "--max-failure-rate", "0.5", code=3)
    assert (body["run"], body["found"], body["done"], body["rejected"], body["skipped"]) == (2, 83, 42, 1, 40)
    assert body["rejected_reasons"] == {"undecodable": 1}
    assert body["earlier_runs"] == [1]
    assert sum(share["films"] for share in body["positives"].values()) + body["uncertain"]["films"] == 42
    moved = {drift["name"]: drift for drift in body["drift"]}
    assert moved["mean grey level"]["beyond"]
    assert moved["mean grey level"]["films"] == 42
    assert moved["mean grey level"]["reference_films"] == 40
    assert any("mean grey level" in alarm for alarm in body["alarms"])
    everything = program.json("report", "--films", "1000", "--label", "covid", "--label", "normal", "--label",
                              "pneumonia", code=3)  # fmt: skip
    listed = everything["first"] + everything["near_threshold"]
    assert len(listed) == len({film["sha256"] for film in listed}) == 40
    assert sum(film["files"] for film in listed) == 42


def test_exit_codes_follow_the_limits(site: tuple[Program, Path]) -> None:
    program, _ = site
    assert program.run("report", "--max-drift", "99", "--max-failure-rate", "0.5").returncode == 0
    late = program.run("report", "--max-drift", "99", "--max-failure-rate", "0.01")
    assert late.returncode == 3
    assert "could not be read" in late.stderr
    assert program.run("report", "77").returncode == 2
    assert program.run("report", "--label", "flu").returncode == 2


def test_the_first_run_is_compared_with_the_models_validation_or_with_nothing(site: tuple[Program, Path]) -> None:
    program, _ = site
    body = program.json("report", "1", "--max-drift", "99")
    assert (body["earlier_runs"], body["drift"]) == ([], [])
    assert body["reference"].startswith("nothing: no earlier run")


def test_the_page_fetches_and_runs_nothing_and_shows_names_as_text(site: tuple[Program, Path], tmp_path: Path) -> None:
    program, _ = site
    output = tmp_path / "report.html"
    ended = program.run("report", "--format", "html", "--output", output, "--films", "100", "--label", "covid",
                        "--label", "normal", "--label", "pneumonia")  # fmt: skip
    assert ended.returncode == 3
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


def test_the_tables_escape_names_and_say_that_it_is_no_diagnosis(site: tuple[Program, Path]) -> None:
    program, _ = site
    ended = program.run("report", "--films", "100", "--label", "covid", "--label", "normal", "--label", "pneumonia")
    assert "<img src=x>\\n\\x1b[31m\\u202e.png" in ended.stdout
    assert "\x1b" not in ended.stdout
    assert "not for diagnostic use" in ended.stderr
    assert "wetread errors list 2" in ended.stderr
