"""evaluate --against: two models on the same films."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from tests.command_line import printed, refused, run
from tests.tiny_model import publish_contents, publish_tiny_model, tiny_contents

pytestmark = pytest.mark.usefixtures("model")


def test_two_models_are_compared_on_the_same_films(films: Path, tmp_path: Path) -> None:
    publish_tiny_model(None, tmp_path / "home", seed=1)
    alone, other = (printed(run("evaluate", name, films, "--json")) for name in ("tiny@1", "tiny@2"))
    body = printed(run("evaluate", "tiny@1", films, "--against", "tiny@2", "--output", tmp_path / "out", "--json"))
    against = body.pop("against")
    assert body == alone, "what is said of the one does not change"
    assert against["model"] == "tiny@2" and against["difference"] == "tiny@1 minus tiny@2"
    assert against["accuracy"] == other["accuracy"] and against["model_digest"] == other["model_digest"]
    for name in ("accuracy", "balanced_accuracy", "macro_auroc"):
        figure = against["differences"][name]
        assert figure["value"] == pytest.approx(alone[name]["value"] - other[name]["value"])
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert against["differences"]["macro_auroc"]["low"] < against["differences"]["macro_auroc"]["high"]
    covid = against["differences"]["labels"]["covid"]["auroc"]["value"]
    assert covid == pytest.approx(
        alone["labels"]["covid"]["auroc"]["value"] - other["labels"]["covid"]["auroc"]["value"]
    )
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert written["against"] == against
    shown = run("evaluate", "tiny@1", films, "--against", "tiny@1")
    assert "figure\ttiny@1 minus tiny@1" in shown.stdout and "macro AUROC\t+0.000 (+0.000 to +0.000)" in shown.stdout


def test_models_of_other_preprocessing_and_another_order_of_labels_are_compared(films: Path, tmp_path: Path) -> None:
    contents = tiny_contents("turned")
    last = [name for name in contents.weights if name.startswith("logits/")]
    order = [2, 0, 1]
    weights = {name: array[..., order] if name in last else array for name, array in contents.weights.items()}
    labels = tuple(contents.labels[index] for index in order)
    publish_contents(replace(contents, weights=weights, labels=labels), tmp_path / "home")
    body = printed(run("evaluate", "tiny", films, "--against", "turned", "--json"))["against"]
    assert body["differences"]["accuracy"] == {"value": 0.0, "low": 0.0, "high": 0.0}, "the same network, turned"
    darker = replace(contents, name="darker", preprocess=replace(contents.preprocess, brightness=-60))
    publish_contents(darker, tmp_path / "home")
    body = printed(run("evaluate", "tiny", films, "--against", "darker", "--json"))["against"]
    alone = printed(run("evaluate", "darker", films, "--json"))
    assert body["accuracy"] == alone["accuracy"] and body["macro_auroc"] == alone["macro_auroc"]


def test_a_model_of_other_labels_cannot_be_compared(films: Path, tmp_path: Path) -> None:
    publish_contents(replace(tiny_contents("other"), labels=("covid", "flu", "normal")), tmp_path / "home")
    refused(run("evaluate", "tiny", films, "--against", "other"), "the same labels apart", "covid, flu, normal")
    refused(run("evaluate", "tiny", films, "--against", "nobody"), "nobody")
