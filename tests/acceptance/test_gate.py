"""A model with an input gate, as its user meets it: what is no film is named, and is no failure of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.program import Program
from tests.tiny_model import tiny_contents
from trainer.gate.fitting import fit_gate
from trainer.gate.non_films import draw_non_film
from trainer.phantoms.archive import phantom
from wetread.imaging.opencv import cv2
from wetread.models.registry import Registry
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema


def with_gate(home: Path) -> Program:
    """Return a program whose production model is the tiny one with a gate fitted on phantoms."""
    preprocess = tiny_contents().preprocess
    films = np.stack([preprocess.levels(phantom("normal", seed, 160)) for seed in range(30)])
    gate = fit_gate(preprocess, films[:20], films[20:])
    database = Database(f"sqlite:///{home / 'results.db'}")
    ensure_schema(database)
    registry = Registry(database, home / "models")
    registered = registry.publish(replace(tiny_contents(), gate=gate.to_json()))
    registry.promote(f"{registered.name}@{registered.version}", accept_evaluation="it is for tests")
    database.dispose()
    return Program(home)


def test_what_is_no_film_is_listed_and_is_no_failure(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    pictures = {f"film-{seed}": phantom("normal", 500 + seed, 200) for seed in range(3)}
    pictures |= {kind: draw_non_film(kind, 77) for kind in ("page", "noise")}
    for name, pixels in pictures.items():
        (archive / f"{name}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    program = with_gate(tmp_path / "home")

    account = program.json("screen", archive, "--max-failure-rate", "0")
    assert (account["found"], account["done"], account["rejected"], account["skipped"]) == (5, 3, 2, 0)

    listed = program.json("errors", "list")
    assert {row["reason"] for row in listed} == {"not_a_film"}
    assert sorted(Path(row["path"]).name for row in listed) == ["noise.png", "page.png"]
    found = {Path(row["path"]).stem: row for row in program.lines("results", "list")}
    assert {name for name, row in found.items() if row["label"] is not None} == {"film-0", "film-1", "film-2"}
    shown = program.run("models", "show", "tiny")
    assert "layout: no film where its score is above" in shown.stdout

    again = program.json("screen", archive)
    assert (again["found"], again["skipped"], again["rejected"]) == (5, 5, 0)
