from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from trainer.data.dataset import load_dataset
from trainer.data.pixels import Films, load_films
from trainer.data.side import Side
from trainer.data.splits import Split, read_split, shipped_split_path
from trainer.evaluation.reading import read_by_classifier
from trainer.statistics.figures import Floats
from wetread.models.artefact import Artefact, verify_artefact
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

CXR = Path(__file__).parents[4] / "shared" / "data" / "cxr"
NAME = "chest-cnn"

needs_films = pytest.mark.skipif(not CXR.is_dir(), reason="../shared/data/cxr is absent")


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    return verify_artefact(shipped_directory(NAME), trusted_digest=SHIPPED[NAME])


@pytest.fixture(scope="module")
def its_split() -> Split:
    return read_split(shipped_split_path())


@pytest.fixture(scope="module")
def validation(artefact: Artefact, its_split: Split) -> tuple[Films, np.ndarray]:
    """The validation patients' films and labels: a test must not open the test patients again."""
    dataset = load_dataset(os.fsencode(CXR), labels=artefact.card.labels)
    indices = its_split.indices(dataset, Side.VALIDATION)
    films = load_films(dataset, artefact.card.preprocess, indices=indices)
    return films, np.array([dataset.targets[index] for index in indices])


def shares(artefact: Artefact, films: Films, engine: str) -> Floats:
    return probabilities(read_by_classifier(load_classifier(artefact, engine), films), artefact.decision.temperature)


def test_it_was_trained_and_judged_by_the_committed_split(artefact: Artefact, its_split: Split) -> None:
    provenance = artefact.card.provenance
    assert provenance.split_digest == its_split.digest
    assert provenance.commit is not None and re.fullmatch("[0-9a-f]{40}", provenance.commit)
    assert provenance.extra["patients"] == {"train": 521, "validation": 118, "test": 160}


def test_it_abstains_and_has_a_gate(artefact: Artefact) -> None:
    assert set(artefact.decision.thresholds) == set(artefact.card.labels)
    assert all(0.3 < least < 1.0 for least in artefact.decision.thresholds.values())
    assert artefact.card.gate is not None


def test_its_card_says_what_must_be_said_beside_an_accuracy() -> None:
    card = Path(shipped_directory(NAME), "MODEL_CARD.md").read_text()
    metrics = json.loads(Path(shipped_directory(NAME), "metrics.json").read_text())["test"]
    for said in (
        "not for diagnostic use",
        "**The source gives covid away**: 342 of its 342 films",
        "normal against pneumonia within nih-chestxray8",
        "159 test patients",
        "small network that sees only what surrounds the middle 60% of each side",
        "opened once, for this model",
        "trainer/splits/cxr.csv",
        "28 patients carry two labels",
        f"accuracy {metrics['accuracy']['value']:.3f}",
    ):
        assert said in card


def test_it_is_small() -> None:
    folder = Path(shipped_directory(NAME))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000


@pytest.mark.data
@needs_films
def test_its_figures_are_measured_again_the_same(artefact: Artefact, validation: tuple[Films, np.ndarray]) -> None:
    films, targets = validation
    metrics = json.loads(Path(shipped_directory(NAME), "metrics.json").read_text())["validation"]
    right = shares(artefact, films, "numpy").argmax(axis=1) == targets
    assert len(films) == metrics["n"]
    # One film may lie so near a border that another processor's rounding moves it.
    assert float(right.mean()) == pytest.approx(metrics["accuracy"]["value"], abs=1.01 / len(films))


@pytest.mark.data
@pytest.mark.keras
@needs_films
def test_both_engines_read_real_films_the_same(artefact: Artefact, validation: tuple[Films, np.ndarray]) -> None:
    pytest.importorskip("tensorflow")
    films, _ = validation
    numpy, keras = (shares(artefact, films, engine) for engine in ("numpy", "keras"))
    assert float(np.abs(numpy - keras).max()) < 1e-4
