"""`wetread screen` as its user runs it, embedded: no server."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.program import Program, with_model
from tests.tiny_model import publish_tiny_model


def test_every_file_is_accounted_for_once_and_again_only_what_is_new(
    program: Program, archive: Path, drawn: Path
) -> None:
    first = program.json("screen", archive)
    assert (first["state"], first["found"], first["done"], first["model"]) == ("finished", 12, 12, "tiny@1")
    assert sum(first["labels"].values()) == 12
    assert first["images_per_second"] > 0
    second = program.json("screen", archive)
    assert (second["found"], second["skipped"], second["done"]) == (12, 12, 0)
    shutil.copytree(next((drawn / "many").iterdir()), archive / "new")
    new = sum(1 for path in (archive / "new").rglob("*") if path.is_file())
    third = program.json("screen", archive)
    assert (third["found"], third["skipped"], third["done"]) == (12 + new, 12, new)
    assert program.rows("SELECT count(*) FROM predictions") == [(12 + new,)]


def test_force_replaces_every_reading(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    before = {row["path"]: row for row in program.lines("results", "list")}
    forced = program.json("screen", archive, "--force")
    after = {row["path"]: row for row in program.lines("results", "list")}
    assert forced["done"] == len(after) == 12
    assert {path: row["probabilities"] for path, row in after.items()} == {
        path: row["probabilities"] for path, row in before.items()
    }
    assert {row["run"] for row in after.values()} == {forced["run"]}
    assert all(after[path]["read_at"] > before[path]["read_at"] for path in before)
    assert program.rows("SELECT count(*) FROM predictions") == [(12,)]


def test_another_model_is_another_reading(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    publish_tiny_model(None, program.home, "other", seed=5)
    assert program.json("screen", archive)["model"] == "other@1"
    assert len(program.lines("results", "list", "--model", "any")) == 24
    assert len(program.lines("results", "list", "--model", "tiny@1")) == 12


def test_a_copy_under_another_name_is_linked_and_not_read_again(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    film = next(path for path in archive.rglob("*") if path.is_file())
    shutil.copy(film, archive / "copy.without-extension")
    again = program.json("screen", archive)
    assert (again["done"], again["skipped"]) == (1, 12)
    assert sum(again["labels"].values()) == 1
    assert program.rows("SELECT count(*) FROM predictions") == [(12,)]


def test_what_is_no_film_is_rejected_by_reason_and_the_rest_goes_on(program: Program, archive: Path) -> None:
    (archive / "notes.png").write_text("no picture")
    film = next(path for path in sorted(archive.rglob("*.jpg")) if path.is_file())
    (archive / "cut.jpg").write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    (archive / "empty").write_bytes(b"")
    ended = program.json("screen", archive)
    assert (ended["found"], ended["done"], ended["rejected"]) == (15, 12, 3)
    listed = program.json("errors", "list")
    assert {(Path(row["path"]).name, row["reason"]) for row in listed} == {
        ("notes.png", "undecodable"), ("cut.jpg", "truncated"), ("empty", "undecodable")
    }  # fmt: skip
    assert program.json("screen", archive)["skipped"] == 15
    assert program.run("screen", archive, "--force", "--max-failure-rate", "0.1").returncode == 3
    assert program.run("screen", archive, "--force", "--max-failure-rate", "0.2").returncode == 0


def test_a_name_that_is_not_text_is_screened_and_listed_escaped(program: Program, archive: Path) -> None:
    film = next(path for path in archive.rglob("*") if path.is_file())
    shutil.copy(film, os.path.join(os.fsencode(archive), b"caf\xe9\n\x1b[31m.png"))
    assert program.json("screen", archive)["done"] == 13
    assert any(row["path"].endswith("/caf%E9\n\x1b[31m.png") for row in program.lines("results", "list"))
    table = program.run("results", "list").stdout
    assert "\x1b" not in table
    assert "caf%E9\\n\\x1b[31m.png" in table


def test_a_home_inside_the_archive_is_no_film(archive: Path) -> None:
    program = with_model(archive / "home")
    assert program.json("screen", archive)["found"] == 12
    assert program.json("screen", archive)["skipped"] == 12
    assert "of wetread's own" in program.run("screen", archive).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["screen", "{tmp}/missing"], 2, "expected a directory or a film, found none"),
        (["screen", "{tmp}/empty"], 2, "found an empty directory"),
        (["screen", "{tmp}/file", "{tmp}/archive"], 2, "film"),
        (["screen", "{tmp}/archive", "--model", "nothing"], 2, "nothing"),
        (["screen", "{tmp}/archive", "--engine", "abacus"], 2, "abacus"),
        (["status", "99"], 2, "no run"),
        (["runs", "cancel", "99"], 2, "no run"),
        (["results", "show", "/no/such"], 2, "expected an image"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_wrong_usage_is_exit_2_with_what_to_do(
    program: Program, archive: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    ended = program.run(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WETREAD_DATABASE_URL": "sqlite:////proc/no/results.db"}, "expected to open a database"),
        ({"WETREAD_DATABASE_URL": "postgresql+psycopg://me:secret@127.0.0.1:1/x"}, "me:***@127.0.0.1:1"),
        ({"WETREAD_BROKER_URL": "redis://:secret@127.0.0.1:1/0"}, "expected a broker at redis://:***@127.0.0.1:1/0"),
    ],
)
def test_a_service_that_does_not_answer_is_exit_4_without_its_password(
    program: Program, archive: Path, environment: dict[str, str], said: str
) -> None:
    program.environment.update(environment)
    for command in (["screen", archive], ["submit", archive], ["worker"]):
        if command != ["screen", archive] and "WETREAD_BROKER_URL" not in environment:
            continue
        ended = program.run(*command)
        assert ended.returncode == 4, ended.stderr
        assert said in ended.stderr
        assert "secret" not in ended.stderr
        assert "Traceback" not in ended.stderr


def test_errors_retry_reads_again_what_was_repaired(program: Program, archive: Path) -> None:
    film = next(path for path in sorted(archive.rglob("*.jpg")) if path.is_file())
    whole = film.read_bytes()
    film.write_bytes(whole[:2000])
    assert program.json("screen", archive)["rejected"] == 1
    film.write_bytes(whole)
    assert program.run("errors", "retry", "--reason", "truncated").returncode == 0
    assert program.run("runs", "resume", "1").returncode == 0
    account = program.json("status", "1")
    assert (account["state"], account["done"], account["rejected"]) == ("finished", 12, 0)


def test_results_answer_what_they_are_asked(program: Program, archive: Path) -> None:
    ended = program.json("screen", archive)
    label, count = max(ended["labels"].items(), key=lambda item: item[1])
    listed = program.lines("results", "list", "--label", label)
    assert len(listed) == count
    assert list(listed[0]) == [
        "path", "sha256", "state", "label", "probability", "probabilities", "decision", "reason", "model",
        "model_digest", "engine", "run", "read_at", "study_uid", "series_uid", "instance_uid", "view", "modality",
        "acquired_on", "pixel_spacing", "patient_hash", "decision_digest", "gate_score", "settled_at", "display_note",
        "picture_digest",
    ]  # fmt: skip
    assert listed[0]["probability"] == max(listed[0]["probabilities"].values())
    sure = program.lines("results", "list", "--min-probability", "0.8")
    assert all(row["probability"] >= 0.8 for row in sure)
    (shown,) = program.json("results", "show", listed[0]["path"])
    assert shown["sha256"] == listed[0]["sha256"]
    assert program.json("results", "show", listed[0]["sha256"])[0]["path"] == listed[0]["path"]
    summary = program.json("results", "summary")
    assert {row["label"]: row["images"] for row in summary["labels"]} == ended["labels"]
    assert program.run("results", "list", "--label", "x' OR '1'='1").returncode == 2


def test_steps_draws_a_picture(program: Program, archive: Path, tmp_path: Path) -> None:
    film = next(path for path in archive.rglob("*") if path.is_file())
    assert program.run("steps", film, "--output", tmp_path / "steps.png").returncode == 0
    assert (tmp_path / "steps.png").read_bytes().startswith(b"\x89PNG")


def test_doctor_finds_nothing_wrong_and_names_what_is(program: Program) -> None:
    assert {row["state"] for row in program.json("doctor")} <= {"ok", "absent"}
    program.environment["WETREAD_BROKER_URL"] = "redis://127.0.0.1:1/0"
    faults = [row for row in program.json("doctor", code=1) if row["state"] == "fault"]
    assert {row["what"] for row in faults} == {"broker", "workers"}
    assert all(row["cure"] for row in faults)
