"""A model is written whole, read back the same, and refused when it is anything else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ArtefactError, UsageError
from tests.measured import MEASURED
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import copy_artefact, load_artefact, save_artefact, verify_artefact

GATE = {"kind": "layout", "side": 2, "floor": 0.5, "weights": [1.0, 0.0, 0.0, 0.5], "bias": 0.0, "threshold": 1.0}
FILES = [
    "MODEL_CARD.md",
    "decision.json",
    "history.json",
    "history.png",
    "metrics.json",
    "model.json",
    "weights.safetensors",
]


def test_what_was_saved_is_loaded(tmp_path: Path, contents) -> None:
    given = contents()
    saved = save_artefact(tmp_path / "model", given, version=3)
    loaded = load_artefact(tmp_path / "model", trusted_digest=saved.digest)

    assert sorted(os.listdir(tmp_path / "model")) == FILES
    assert (loaded.card.name, loaded.card.version, loaded.card.labels) == ("phantom", 3, given.labels)
    assert loaded.card.architecture.to_json() == given.architecture.to_json()
    assert loaded.card.preprocess == given.preprocess
    assert loaded.card.provenance == given.provenance
    assert (loaded.decision.temperature, dict(loaded.decision.thresholds)) == (1.5, {"focal": 0.6})
    assert list(loaded.weights) == list(given.weights)
    for name, array in given.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
        assert not loaded.weights[name].flags.writeable
    assert json.loads((tmp_path / "model" / "metrics.json").read_text()) == MEASURED


def test_the_same_contents_are_the_same_bytes(tmp_path: Path, contents) -> None:
    save_artefact(tmp_path / "one", contents())
    save_artefact(tmp_path / "two", contents())
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_digest_covers_what_readings_depend_on_and_nothing_else(tmp_path: Path, contents) -> None:
    base = contents()
    relabelled = ("clear", "diffuse", "other")
    changes = {
        "base": base,
        "weights": contents(seed=1),
        "labels": contents(labels=relabelled, thresholds={}),
        "preprocess": contents(preprocess=Preprocess(height=12, width=10, brightness=11)),
        "gate": contents(gate=GATE),
    }
    digests = {what: save_artefact(tmp_path / what, made).digest for what, made in changes.items()}
    assert len(set(digests.values())) == len(changes)

    other = contents(name="renamed", temperature=2.0, thresholds={}, metrics={}, documents={})
    renamed = save_artefact(tmp_path / "renamed", other, version=9)
    assert renamed.digest == digests["base"]
    assert renamed.decision.digest != load_artefact(tmp_path / "base").decision.digest


def test_two_models_with_one_temperature_have_two_decisions(tmp_path: Path, contents) -> None:
    first = save_artefact(tmp_path / "first", contents(thresholds={}))
    second = save_artefact(tmp_path / "second", contents(seed=1, thresholds={}))
    assert first.decision.digest != second.decision.digest


def test_a_model_is_never_overwritten(tmp_path: Path, contents) -> None:
    saved = save_artefact(tmp_path / "model", contents())
    for taken in ("model", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="never overwritten"):
            save_artefact(tmp_path / taken, contents(seed=1))
    assert load_artefact(tmp_path / "model").digest == saved.digest


def test_what_cannot_be_saved_leaves_nothing_behind(tmp_path: Path, contents) -> None:
    wrong = [
        contents(labels=("clear", "focal")),
        contents(preprocess=Preprocess(height=12, width=12)),
        contents(weights={}),
        contents(thresholds={"unknown": 0.5}),
        contents(temperature=0.0),
        contents(metrics={"loss": float("nan")}),
        contents(gate={"kind": "layout"}),
        contents(documents={"../outside.md": b""}),
        contents(documents={"model.json": b"{}"}),
    ]
    for made in wrong:
        with pytest.raises(ArtefactError):
            save_artefact(tmp_path / "model", made)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "..", ".hidden", "UPPER", "a" * 65, "a\n", "/etc", "a\0b"])
def test_a_name_cannot_leave_the_models_folder(tmp_path: Path, contents, name: str) -> None:
    with pytest.raises(UsageError, match="model name"):
        save_artefact(tmp_path / "model", contents(name=name))


def test_weights_that_are_not_numbers_are_not_saved(tmp_path: Path, contents) -> None:
    weights = contents().weights
    weights["conv/bias"] = np.array([0, 1, np.nan, 2], np.float32)
    with pytest.raises(ArtefactError, match="conv/bias: expected finite"):
        save_artefact(tmp_path / "model", contents(weights=weights))


def test_a_copy_keeps_the_digest_under_another_version(tmp_path: Path, contents) -> None:
    saved = save_artefact(tmp_path / "model", contents(), version=1)
    copied = copy_artefact(tmp_path / "model", tmp_path / "copy", version=7, documents={"MODEL_CARD.md": b"# better"})
    assert (copied.digest, copied.card.version, copied.decision) == (saved.digest, 7, saved.decision)
    assert (tmp_path / "copy" / "MODEL_CARD.md").read_bytes() == b"# better"
    assert sorted(os.listdir(tmp_path / "copy")) == [
        "MODEL_CARD.md",
        "decision.json",
        "model.json",
        "weights.safetensors",
    ]


def test_verify_sees_a_file_too_many_and_a_file_too_few(tmp_path: Path, contents) -> None:
    save_artefact(tmp_path / "model", contents())
    (tmp_path / "model" / "plugin.py").write_text("print('hello')")
    with pytest.raises(ArtefactError, match=r"plugin\.py"):
        verify_artefact(tmp_path / "model")
    os.remove(tmp_path / "model" / "plugin.py")
    os.remove(tmp_path / "model" / "history.png")
    with pytest.raises(ArtefactError, match=r"history\.png"):
        verify_artefact(tmp_path / "model")
