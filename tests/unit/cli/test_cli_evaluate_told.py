"""What evaluate says beside its figures: people with two ids, the gate, and the shortcuts that the card knows."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from schemas.errors import ArtefactError
from tests.command_line import printed, run
from tests.tiny_model import publish_contents, tiny_contents
from trainer.data.dataset import load_dataset
from trainer.phantoms.archive import draw_archive
from wetread.imaging.decode import decode
from wetread.models.gate import Gate

pytestmark = pytest.mark.usefixtures("model")


def two_ids(folder: Path) -> Path:
    """Drawn films; two people come again, each under a second id with a copy of a film."""
    draw_archive(folder, patients=40, seed=4, images_per_patient=(1, 1))
    manifest = folder / "manifest.csv"
    header, *rows = manifest.read_text().splitlines()
    columns = header.split(",")
    for number in range(2):
        cells = rows[number].split(",")
        copy = f"copy-{number}.png"
        (folder / copy).write_bytes((folder / cells[columns.index("path")]).read_bytes())
        cells[columns.index("path")], cells[columns.index("patient_id")] = copy, f"again-{number}"
        rows.append(",".join(cells))
    manifest.write_text("\n".join([header, *rows]) + "\n")
    return folder


def test_a_person_with_two_ids_counts_once(tmp_path: Path) -> None:
    folder = two_ids(tmp_path / "twice")
    result = run("evaluate", "tiny", folder, "--json")
    body = printed(result)
    assert (body["n"], body["patients"], body["people_with_several_ids"]) == (42, 40, 2)
    assert "2 people have several patient ids" in result.stderr and "counted once" in result.stderr


def test_people_with_one_id_are_not_spoken_of(films: Path) -> None:
    result = run("evaluate", "tiny", films, "--json")
    assert printed(result)["people_with_several_ids"] == 0 and "patient ids" not in result.stderr


def gate_of(threshold: float) -> dict[str, Any]:
    """A gate that scores how much brighter the upper half is than the lower."""
    return Gate(2, 0.1, (1.0, 1.0, -1.0, -1.0), 0.0, threshold).to_json()


def test_what_the_gate_would_reject_is_said_and_the_figures_are_of_all_films(films: Path, tmp_path: Path) -> None:
    for name, threshold in (("strict", -100.0), ("lax", 100.0)):
        publish_contents(replace(tiny_contents(name), gate=gate_of(threshold)), tmp_path / "home")
    alone = printed(run("evaluate", "tiny", films, "--json"))
    assert alone["gate"] is None
    result = run("evaluate", "strict", films, "--against", "lax", "--json")
    body = printed(result)
    assert body["gate"] == {"refused": body["n"], "of": body["n"]} and body["against"]["gate"]["refused"] == 0
    assert body["accuracy"] == alone["accuracy"] and body["n"] == alone["n"]
    said = f"the gate of strict@1 rejects {body['n']} of these {body['n']} films (not_a_film)"
    assert said in result.stderr and "the figures are of all of them" in result.stderr
    assert "the gate of" not in run("evaluate", "tiny", films).stderr


def test_the_gate_of_an_evaluation_is_the_one_that_screens(films: Path, tmp_path: Path) -> None:
    preprocess = tiny_contents().preprocess
    pictures = [decode((films / film.name).read_bytes()).pixels for film in load_dataset(os.fsencode(films)).films]
    scores = Gate.from_json(gate_of(0.0)).score(preprocess.apply_many(pictures))
    contents = replace(tiny_contents("gated"), gate=gate_of(float(np.quantile(scores, 0.7, method="lower"))))
    publish_contents(contents, tmp_path / "home")
    body = printed(run("evaluate", "gated", films, "--json"))
    assert body["gate"]["of"] == body["n"] == len(scores)
    assert body["gate"]["refused"] == int((scores > np.quantile(scores, 0.7, method="lower")).sum()) > 5


def panel_metrics() -> dict[str, Any]:
    figure = {"value": 0.125, "low": 0.05, "high": 0.2}
    seen = {"accuracy": figure, "model_above": {"accuracy": figure}}
    return {"shortcuts": {"arch": "cnn", "size": 64, "epochs": 30, "views": {"the border alone": seen}}, "test": {}}


def test_what_the_card_says_of_shortcuts_is_said_beside_the_figures(films: Path, tmp_path: Path) -> None:
    publish_contents(replace(tiny_contents("honest", seed=1), metrics=panel_metrics()), tmp_path / "home")
    result = run("evaluate", "honest", films, "--against", "tiny", "--json")
    body = printed(result)
    assert body["card_shortcuts"]["side"] == "test"
    assert body["card_shortcuts"]["views"] == panel_metrics()["shortcuts"]["views"]
    assert body["against"]["card_shortcuts"] is None
    said = (
        "the card of honest@1: accuracy 0.125 (0.050 to 0.200) above a small network that sees only the border "
        "(on its test patients)"
    )
    assert said in result.stderr and "the card of tiny" not in result.stderr
    del (without_test := panel_metrics())["test"]
    publish_contents(replace(tiny_contents("shown", seed=2), metrics=without_test), tmp_path / "home")
    assert "(on its validation patients)" in run("evaluate", "shown", films).stderr


@pytest.mark.parametrize("wrong", [7, {}, {"views": {}}, {"views": {"the border alone": {"accuracy": None}}}])
def test_a_card_that_is_malformed_is_said(films: Path, tmp_path: Path, wrong: object) -> None:
    publish_contents(replace(tiny_contents("odd", seed=1), metrics={"shortcuts": wrong}), tmp_path / "home")
    result = run("evaluate", "odd", films)
    assert isinstance(result.exception, ArtefactError)
    assert "metrics.json: expected the figures of the shortcut panel" in str(result.exception)
