"""The figures in README are those that the program has: the model's from its card, the screening's from a screening."""

from __future__ import annotations

import json
import re
import shutil
from math import floor, log10
from pathlib import Path
from typing import Any

import pytest

from tests.program import REPOSITORY, Program
from wetread.models.artefact import load_artefact

README = " ".join((REPOSITORY / "README.md").read_text().split())
SHIPPED = REPOSITORY / "wetread" / "models" / "shipped" / "chest-cnn"
ARCHIVE = REPOSITORY.parent / "shared" / "data" / "archive"


def shown(figure: dict[str, float], before: str = "") -> str:
    return f"{figure['value']:.3f} ({before}{figure['low']:.3f} to {figure['high']:.3f})"


def test_what_is_said_of_the_model_is_what_its_card_holds() -> None:
    metrics: dict[str, Any] = json.loads((SHIPPED / "metrics.json").read_text())
    test = metrics["test"]
    blacked_out = metrics["shortcuts"]["views"]["the middle 60% blacked out"]
    decision = test["decision"]
    weights = sum(array.size for array in load_artefact(str(SHIPPED)).weights.values())
    for said in (
        f"On {test['patients']} test patients: accuracy {shown(test['accuracy'], '95% interval ')}",
        f"macro AUROC {shown(test['macro_auroc'])}",
        f"of the {decision['coverage']['value']:.0%} of films that its decision gives a label, "
        f"{shown(decision['accuracy'])} are right",
        f"blacked out: an accuracy of {blacked_out['accuracy']['value']:.3f}",
        f"The model is {shown(blacked_out['model_above']['accuracy'])} above it",
        f"with {round(weights, 1 - floor(log10(weights))):,} parameters",
    ):
        assert said in README, said


@pytest.mark.data
def test_the_screening_that_is_shown_is_what_a_screening_gives(tmp_path: Path) -> None:
    if not ARCHIVE.is_dir():
        pytest.skip("the real X-rays are not at ../shared/data/archive")
    archive = Path(shutil.copytree(ARCHIVE, tmp_path / "archive"))
    (archive / "notes.txt").write_text("no picture")
    program = Program(tmp_path / "home", patience=900)
    body = program.json("screen", archive)
    settled = f"{body['found']} found"
    assert settled in README
    assert f"{body['done']} done, {body['rejected']} rejected, {body['dead']} dead" in README
    for label, images in body["labels"].items():
        assert f"{label} {images} {images / body['done']:.1%} {body['uncertain'][label]}" in README
    for reason, images in body["rejected_reasons"].items():
        assert f"{reason} {images} rejected" in README
    listed = {str(Path(row["path"]).relative_to(tmp_path)): row for row in program.json("errors", "list")}
    for reason, path, detail in re.findall(r"rejected (\w+) /(archive/\S+) ([^…]+?)(?: …)? (?=rejected|…|```)", README):
        assert listed[path]["reason"] == reason and listed[path]["detail"].startswith(detail.rstrip(" ,"))
