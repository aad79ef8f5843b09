"""`wetread screen` as its user runs it, embedded: no server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.program import Program, eventually, films, kill_group, with_model
from tests.tiny_model import publish_tiny_model
from wetread.store.database import Database
from wetread.store.roots import resolved_roots, root_ids
from wetread.store.runs import open_run


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return with_model(tmp_path / "home")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """112 phantoms, drawn once: `few` holds 12, `many` the other 100."""
    directory = tmp_path_factory.mktemp("drawn")
    for name, patients in (("few", 12), ("many", 100)):
        films(directory / name, patients=patients, seed=patients)
        (directory / name / "manifest.csv").unlink()
    return directory


@pytest.fixture
def archive(drawn: Path, tmp_path: Path) -> Path:
    """12 films."""
    return Path(shutil.copytree(drawn / "few", tmp_path / "archive"))


@pytest.fixture
def large_archive(drawn: Path, archive: Path, program: Program) -> Path:
    """112 films, and batches so small that a run can be met half way."""
    shutil.copytree(drawn / "many", archive / "many")
    program.environment["WETREAD_BATCH_SIZE"] = "8"
    return archive


def rows(program: Program, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(program.home / "results.db") as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


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
    assert rows(program, "SELECT count(*) FROM predictions") == [(12 + new,)]


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
    assert rows(program, "SELECT count(*) FROM predictions") == [(12,)]


def test_another_model_is_another_reading(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    publish_tiny_model(None, program.home, "other", seed=5)
    assert program.json("screen", archive)["model"] == "other@1"
    assert len(program.lines("results", "list")) == 24
    assert len(program.lines("results", "list", "--model", "tiny@1")) == 12


def test_a_copy_under_another_name_is_linked_and_not_read_again(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    film = next(path for path in archive.rglob("*") if path.is_file())
    shutil.copy(film, archive / "copy.without-extension")
    again = program.json("screen", archive)
    assert (again["done"], again["skipped"]) == (1, 12)
    assert sum(again["labels"].values()) == 1
    assert rows(program, "SELECT count(*) FROM predictions") == [(12,)]


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


def test_kill_of_the_command_in_the_middle_and_the_same_command_again(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive)
    eventually(lambda: rows(program, "SELECT 1 FROM runs WHERE done > 0 AND done < found"), what="a run half way")
    kill_group(running)
    ended = program.json("screen", large_archive)
    assert ended["run"] == 1, "the unfinished run goes on under its id"
    assert (ended["state"], ended["found"], ended["done"]) == ("finished", 112, 112)
    assert rows(program, "SELECT count(*), count(DISTINCT image_id) FROM work_items") == [(112, 112)]
    assert rows(program, "PRAGMA integrity_check") == [("ok",)]


def test_kill_of_a_worker_process_loses_nobody(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "2", "--json")
    eventually(lambda: rows(program, "SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="a worker with a batch")
    owner = str(rows(program, "SELECT owner FROM batches WHERE owner IS NOT NULL")[0][0])
    os.kill(int(owner.split(":")[-2]), signal.SIGKILL)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert '"found": 112, "done": 112, "rejected": 0, "dead": 0' in out


def test_a_worker_process_that_is_told_to_end_is_replaced(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "1", "--json")
    eventually(lambda: rows(program, "SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="a worker with a batch")
    owner = str(rows(program, "SELECT owner FROM batches WHERE owner IS NOT NULL")[0][0])
    os.kill(int(owner.split(":")[-2]), signal.SIGTERM)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert '"found": 112, "done": 112, "rejected": 0, "dead": 0' in out
    assert rows(program, "SELECT max(kills) FROM batches") == [(0,)], "it ended in order: nothing died"


def test_a_command_takes_over_the_walk_of_one_that_died_in_it(program: Program, archive: Path) -> None:
    walker = subprocess.Popen(["sleep", "600"])
    database = Database(f"sqlite:///{program.home / 'results.db'}")
    try:
        digest = str(rows(program, "SELECT digest FROM models WHERE name = 'tiny'")[0][0])
        started = round(psutil.Process(walker.pid).create_time() * 100)
        with database.writing() as session:
            roots = root_ids(session, resolved_roots([str(archive)]))
            open_run(
                session, roots, digest, "numpy", force=False,
                walker=f"{socket.gethostname()[:64]}:{walker.pid}:{started}", dead=lambda _: False,
            )  # fmt: skip
        running = program.start("screen", archive, "--workers", "1", "--json")
        eventually(lambda: rows(program, "SELECT 1 FROM runs"), what="the run")
        time.sleep(3.0)
        assert running.poll() is None, "the other one walks, so that this one waits"
    finally:
        walker.kill()
        walker.wait()
        database.dispose()
    out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    assert '"run": 1, "state": "finished"' in out
    assert '"found": 12, "done": 12' in out


def test_a_home_inside_the_archive_is_no_film(archive: Path) -> None:
    program = with_model(archive / "home")
    assert program.json("screen", archive)["found"] == 12
    assert program.json("screen", archive)["skipped"] == 12
    assert "of wetread's own" in program.run("screen", archive).stderr


def test_ctrl_c_leaves_a_run_that_the_same_command_continues(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "1")
    eventually(lambda: rows(program, "SELECT 1 FROM runs WHERE done > 0"), what="a first batch")
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "the same command continues" in err
    assert program.json("status")["state"] == "interrupted"
    ended = program.json("screen", large_archive)
    assert (ended["run"], ended["state"], ended["dead"]) == (1, "finished", 0)


def test_an_archive_that_goes_away_pauses_the_run_and_blames_no_film(program: Program, large_archive: Path) -> None:
    running = program.start("screen", large_archive, "--workers", "1")
    eventually(
        lambda: rows(program, "SELECT 1 FROM runs WHERE done > 0 AND walked_at IS NOT NULL"), what="a first batch"
    )
    large_archive.rename(large_archive.with_name("away"))
    _, err = running.communicate(timeout=60)
    assert running.returncode == 4, err
    assert program.json("status")["state"] == "paused"
    large_archive.with_name("away").rename(large_archive)
    ended = program.json("screen", large_archive)
    assert (ended["run"], ended["state"], ended["rejected"], ended["dead"]) == (1, "finished", 0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["screen", "{tmp}/missing"], 2, "expected a directory, found none"),
        (["screen", "{tmp}/empty"], 2, "found an empty directory"),
        (["screen", "{tmp}/file"], 2, "found a file"),
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


def test_runs_can_be_cancelled_resumed_and_deleted(program: Program, large_archive: Path) -> None:
    program.environment["WETREAD_BATCH_SIZE"] = "1"  # slow enough to be cancelled
    running = program.start("screen", large_archive, "--workers", "1")
    eventually(lambda: rows(program, "SELECT 1 FROM runs WHERE done > 0"), what="a first batch")
    assert program.run("runs", "cancel", "1").returncode == 0
    running.communicate(timeout=60)
    assert running.returncode == 1
    account = program.json("status", "1")
    assert account["state"] == "cancelled"
    assert account["found"] == account["done"] + account["cancelled"] + account["rejected"]
    assert account["cancelled"] > 0
    assert program.run("runs", "resume", "1").returncode == 2
    assert program.run("runs", "delete", "1", "--yes").returncode == 0
    assert program.json("runs", "list") == []
    assert program.lines("results", "list") == []


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
        "acquired_on", "pixel_spacing", "patient_hash", "decision_digest", "gate_score", "settled_at",
    ]  # fmt: skip
    assert listed[0]["probability"] == max(listed[0]["probabilities"].values())
    sure = program.lines("results", "list", "--min-probability", "0.8")
    assert all(row["probability"] >= 0.8 for row in sure)
    (shown,) = program.json("results", "show", listed[0]["path"])
    assert shown["sha256"] == listed[0]["sha256"]
    assert program.json("results", "show", listed[0]["sha256"])[0]["path"] == listed[0]["path"]
    summary = program.json("results", "summary")
    assert {row["label"]: row["images"] for row in summary["labels"]} == ended["labels"]
    assert program.lines("results", "list", "--label", "x' OR '1'='1") == []


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


def test_a_cancel_that_was_cut_off_is_taken_up_again(program: Program, archive: Path) -> None:
    program.json("screen", archive)
    assert program.run("runs", "cancel", "1").returncode == 2, "a finished run stays as it is"
    with sqlite3.connect(program.home / "results.db") as connection:
        connection.execute("UPDATE work_items SET state = 'pending', current = 0")
        connection.execute("UPDATE batches SET pending = 12")
        connection.execute("UPDATE runs SET state = 'cancelled', pending = 12, done = 0")
    connection.close()
    assert program.run("runs", "cancel", "1").returncode == 0
    account = program.json("status", "1")
    assert (account["state"], account["cancelled"], account["pending"]) == ("cancelled", 12, 0)
    assert program.run("runs", "cancel", "1").returncode == 2
