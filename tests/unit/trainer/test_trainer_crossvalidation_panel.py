"""The panel of a cross-validation: shortcuts measured on the held-out films of every fold."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer.studies.crossvalidation
import trainer.studies.fold
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.pixels import load_films
from trainer.data.side import Side
from trainer.evaluation.reading import read_by_weights
from trainer.phantoms.archive import draw_archive
from trainer.shortcuts.views import VIEWS
from trainer.studies.crossvalidated import CrossValidation
from trainer.studies.crossvalidation import cross_validate
from trainer.studies.fold import fold_panel
from trainer.training.architectures import make_architecture
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.lesson import LabelledFilms
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe
from trainer.training.train import train

OPTIONS = TrainingOptions(engine="numpy", epochs=2, batch_size=16, augmentation=NO_AUGMENTATION, learning_rate=0.01)
RECIPE = Recipe("folds", arch="cnn", size=16, width=8, options=OPTIONS, validation=0.2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=36, seed=5, images_per_patient=(1, 3))
    return load_dataset(os.fsencode(folder))


SHORT = replace(RECIPE, panel=True, options=replace(OPTIONS, epochs=1))


@pytest.fixture(scope="module")
def with_panel(dataset: Dataset) -> CrossValidation:
    return cross_validate(dataset, SHORT, 2, against="dnn", processes=1)


def test_shortcuts_are_measured_on_the_held_out_films_of_every_fold(
    dataset: Dataset, with_panel: CrossValidation
) -> None:
    panel = with_panel.panel
    assert panel is not None and panel.epochs == 1
    for seen in panel.readings.values():
        assert [film.path for film in seen.films] == [film.path for film in with_panel.pooled.films]
    body = with_panel.to_json()
    assert list(body["shortcuts"]["views"]) == list(VIEWS)
    for view, of in body["shortcuts"]["views"].items():
        gap = body["pooled"]["accuracy"]["value"] - of["accuracy"]["value"]
        assert of["model_above"]["accuracy"]["value"] == pytest.approx(gap), view
        other = body["against"]["shortcuts"]["views"][view]
        assert other["accuracy"] == of["accuracy"], "made once"
        theirs = body["against"]["pooled"]["accuracy"]["value"] - of["accuracy"]["value"]
        assert other["model_above"]["accuracy"]["value"] == pytest.approx(theirs)


def test_the_small_network_learns_from_a_folds_train_side_alone(dataset: Dataset, with_panel: CrossValidation) -> None:
    fold, size = with_panel.folds[1], 16
    of_fold = {side: fold.split.indices(dataset, side) for side in (Side.TRAIN, Side.TEST)}
    films, targets = (
        load_films(dataset, SHORT.input_preprocess, processes=1),
        np.array(dataset.targets, dtype=np.int64),
    )
    architecture, preprocess = make_architecture("cnn", 3, size=size), SHORT.input_preprocess
    chosen = list(of_fold[Side.TRAIN])
    learned = LabelledFilms(VIEWS["the border alone"](films[chosen]), targets[chosen])
    trained = train(architecture, preprocess, learned, None, SHORT.options)
    judged = VIEWS["the border alone"](films[list(of_fold[Side.TEST])])
    logits = read_by_weights(architecture, trained.weights, preprocess, judged)
    assert with_panel.panel is not None
    found = with_panel.panel.readings["the border alone"].logits[-len(logits) :]
    assert found == pytest.approx(logits)


def test_a_panel_that_was_cut_short_goes_on_and_is_made_once(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_panel: CrossValidation
) -> None:
    made = list[int]()

    def mortal(*given: Any) -> Any:
        made.append(len(made))
        if len(made) == 2:
            raise KeyboardInterrupt
        return fold_panel(*given)

    folder = os.fsencode(tmp_path)
    monkeypatch.setattr(trainer.studies.crossvalidation, "fold_panel", mortal)
    with pytest.raises(KeyboardInterrupt):
        cross_validate(dataset, SHORT, 2, against="dnn", processes=1, folder=folder)
    monkeypatch.delattr(trainer.studies.crossvalidation, "train_fold")
    again = cross_validate(dataset, SHORT, 2, against="dnn", processes=1, folder=folder)
    assert len(made) == 3, "the first fold's, the one that was cut short, and it again"
    assert again.to_json()["shortcuts"] == with_panel.to_json()["shortcuts"]
    without = cross_validate(dataset, replace(SHORT, panel=False), 2, processes=1, folder=folder)
    assert without.panel is None and without.to_json()["shortcuts"] is None


def test_a_leaky_split_has_its_panel_too(dataset: Dataset) -> None:
    named: list[str] = []
    leaky = cross_validate(dataset, SHORT, 2, leaky=True, processes=1, training=lambda name: named.append(name))
    assert leaky.to_json()["shortcuts"]["views"]["the border alone"]["accuracy"]["value"] > 0
    assert named[:3] == ["fold 1/2", "fold 1/2 the whole film", "fold 1/2 the middle 60% blacked out"]
