"""`wetread screen film.png`: what the model makes of one film and why; nothing is kept unless that is asked for."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import wetread
from schemas.errors import UsageError
from tests.acceptance.test_gate import with_gate
from tests.program import Program
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import encoded
from trainer.gate.non_films import draw_non_film
from trainer.phantoms.archive import phantom
from wetread.settings import load_settings

KEYS = [
    "path", "sha256", "state", "reason", "detail", "label", "probability", "probabilities", "decision", "why",
    "gate_score", "gate_threshold", "thresholds", "model", "model_digest", "engine", "run", "steps",
]  # fmt: skip


@pytest.fixture
def fresh(tmp_path: Path) -> Program:
    """A program that has no database yet: the model is the one that ships."""
    return Program(tmp_path / "home")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "films" / "a film [1].png"
    path.parent.mkdir()
    path.write_bytes(encoded(".png", phantom("normal", 501, 400)))
    return path


def test_a_film_s_reading_says_why_and_makes_no_database(fresh: Program, film: Path) -> None:
    ended = fresh.run("screen", film)
    assert ended.returncode == 0, ended.stderr
    told = dict(line.split("\t", 1) for line in ended.stdout.splitlines())
    assert {"film", "decision", "why", "gate score", "model", "its steps"} <= set(told)
    assert sum(float(told[f"probability of {label}"]) for label in ("covid", "normal", "pneumonia")) == pytest.approx(
        1, abs=2e-4
    )
    assert "threshold" in told["why"] and told["model"] == "chest-cnn@1 on numpy"
    assert "nothing was stored" in ended.stderr
    program, *words = shlex.split(told["its steps"])
    drawn = fresh.run(*words[:-1], film.parent / "steps.png")
    assert (program, drawn.returncode, (film.parent / "steps.png").exists()) == ("wetread", 0, True), drawn.stderr
    assert not fresh.home.exists()


def test_what_is_no_film_or_no_picture_is_named_with_its_reason(tmp_path: Path, film: Path) -> None:
    text, page, program = tmp_path / "notes.png", tmp_path / "page.png", with_gate(tmp_path / "home")
    text.write_text("no picture")
    page.write_bytes(encoded(".png", draw_non_film("page", 77)))
    before = hashlib.sha256((program.home / "results.db").read_bytes()).digest()
    of_film, of_text, of_page = program.json("screen", film, text, page, code=3)
    assert list(of_film) == KEYS
    assert (of_film["state"], of_film["model"]) == ("done", "tiny@1"), "production is what this site promoted"
    assert of_film["gate_score"] <= of_film["gate_threshold"]
    assert (of_text["state"], of_text["reason"], of_text["steps"]) == ("rejected", "undecodable", None)
    assert (of_page["state"], of_page["reason"]) == ("rejected", "not_a_film")
    assert "gate score" in of_page["why"] and of_page["label"] is None
    assert program.run("screen", page).returncode == 0, "it was read, and is no film: nothing failed"
    assert hashlib.sha256((program.home / "results.db").read_bytes()).digest() == before
    assert program.rows("SELECT count(*) FROM runs") == [(0,)]


def test_a_film_is_uncertain_below_its_threshold_and_says_which(fresh: Program, film: Path) -> None:
    (told,) = fresh.json("screen", film)
    least = told["thresholds"][told["label"]]
    assert (told["decision"] == "uncertain") == (told["probability"] < least)
    assert f"{least:.4f}" in told["why"]


def test_a_dicom_film_is_read_as_its_picture_is_and_a_lateral_view_refused(fresh: Program, film: Path) -> None:
    pixels = phantom("normal", 501, 400)
    pixels = pixels if pixels.dtype == np.uint8 else (pixels // 257).astype(np.uint8)
    film.write_bytes(encoded(".png", pixels))
    (film.parent / "film.dcm").write_bytes(dicom(pixels, PatientName="Doe^Canary"))
    (film.parent / "side.dcm").write_bytes(dicom(pixels, ViewPosition="LL"))
    png, same, side = fresh.json("screen", film, film.parent / "film.dcm", film.parent / "side.dcm")
    assert same["probabilities"] == png["probabilities"]
    assert (side["state"], side["reason"]) == ("rejected", "other_view")
    (accepted,) = fresh.json("screen", film.parent / "side.dcm", "--accept-view", "LL")
    assert accepted["probabilities"] == png["probabilities"]
    drawn = fresh.run(*shlex.split(accepted["steps"].replace("steps.png", str(film.parent / "steps.png")))[1:])
    assert drawn.returncode == 0, drawn.stderr
    assert not fresh.home.exists(), "no key for patients' ids either"


def test_one_film_is_read_as_in_a_run_and_kept_reads_as_one(fresh: Program, film: Path) -> None:
    (film.parent / "beside.png").write_bytes(encoded(".png", phantom("covid", 7, 300)))
    (told,) = fresh.json("screen", film, "--keep")
    assert told["run"] == 1
    (kept,) = fresh.lines("results", "list")
    assert kept["path"] == told["path"] == str(film)
    assert kept["probabilities"] == pytest.approx(told["probabilities"], abs=1e-6)
    assert kept["decision"] == told["decision"]
    assert fresh.rows("SELECT found, done FROM runs") == [(1, 1)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("FILM", "FOLDER"), "found both"),
        (("FILM", "gone.png"), "found none at 'gone.png'"),
        (("gone.png",), "found none at 'gone.png'"),
        (("FILM", "--workers", "2"), "--workers: expected a directory"),
        (("FILM", "--exclude", "x"), "--exclude: expected a directory"),
        (("FILM", "--force"), "--force: expected --keep"),
        (("FOLDER", "--keep"), "--keep: expected films"),
        (("FILM", "--model", "nobody"), "there are: production, shipped, chest-cnn@1"),
    ],
)
def test_what_cannot_be_asked_of_a_film_is_refused(words: tuple[str, ...], said: str, film: Path) -> None:
    given = [{"FILM": str(film), "FOLDER": str(film.parent)}.get(word, word) for word in words]
    ended = CliRunner().invoke(wetread, ["screen", *given])
    assert isinstance(ended.exception, UsageError) and ended.exception.exit_code == 2, ended
    assert said in str(ended.exception) and not ended.stdout
    assert not load_settings().home.exists()
