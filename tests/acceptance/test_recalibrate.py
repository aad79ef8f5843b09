"""A site fits the decision on films of its own: what was read before and what is read after are decided alike."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.program import Program, films, with_model


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("labelled")
    films(directory, patients=66, seed=5)
    return directory


def decisions(program: Program) -> dict[str, tuple[object, ...]]:
    """Return by file name: the decision, the record that it was made by, the probability."""
    query = (
        "SELECT i.path, p.decision, p.decision_digest, p.probability FROM images i"
        " JOIN work_items w ON w.image_id = i.id AND w.current JOIN predictions p ON p.id = w.prediction_id"
    )
    with closing(sqlite3.connect(program.home / "results.db")) as connection:
        return {path.decode(): tuple(rest) for path, *rest in connection.execute(query)}


def tallied(program: Program) -> dict[str, int]:
    """Return the counter of uncertain films, by label, that the run keeps."""
    with closing(sqlite3.connect(program.home / "results.db")) as connection:
        return dict(connection.execute("SELECT name, count FROM run_tallies WHERE kind = 'uncertain'"))


def test_stored_and_later_readings_follow_the_new_decision_and_go_back(labelled: Path, tmp_path: Path) -> None:
    program, archive = with_model(tmp_path / "home"), tmp_path / "archive"
    images = sorted(labelled.rglob("*/1.*"))
    archive.mkdir()
    for number, path in enumerate(images[:20]):
        shutil.copy(path, archive / f"{number}.png")
    program.json("screen", archive)
    before = decisions(program)
    fitted = program.json("models", "recalibrate", "tiny", labelled)
    assert fitted["readings_decided_anew"] == len(before) == 20
    assert fitted["fitted"]["patients"] == 66 and fitted["fitted"]["temperature"] != 1.0
    after = decisions(program)
    assert {digest for _, digest, _ in after.values()} == {fitted["decision_digest"]}
    assert any(after[name][2] != before[name][2] for name in before)
    uncertain = sum(decision == "uncertain" for decision, *_ in after.values())
    assert uncertain == sum(tallied(program).values()) > 0
    for number, path in enumerate(images[20:30]):
        shutil.copy(path, archive / f"later-{number}.png")
    program.json("screen", archive)
    assert {digest for _, digest, _ in decisions(program).values()} == {fitted["decision_digest"]}
    assert program.run("models", "export", "tiny", tmp_path / "copy").returncode == 0
    exported = json.loads((tmp_path / "copy" / "decision.json").read_text())
    assert exported["digest"] == fitted["decision_digest"], "the copy decides as this site does"
    assert program.json("models", "recalibrate", "tiny", "--as-trained")["readings_decided_anew"] == 30
    restored = decisions(program)
    assert {name: restored[name] for name in before} == before


def test_data_and_as_trained_are_one_or_the_other(tmp_path: Path) -> None:
    ended = with_model(tmp_path / "home").run("models", "recalibrate", "tiny")
    assert (ended.returncode, "expected DATA" in ended.stderr) == (2, True)
