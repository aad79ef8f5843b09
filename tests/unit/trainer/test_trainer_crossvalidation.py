from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer.studies.crossvalidation
import trainer.studies.fold
from schemas.errors import DataError, UnsafeError, UsageError
from trainer.audit.findings import Audit
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.dealing import split_patients
from trainer.data.pixels import load_films
from trainer.data.side import Side
from trainer.data.splits import without_test_patients
from trainer.evaluation.deciding import FittedDecision, fit_decision
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.reading import read_by_weights
from trainer.phantoms.archive import draw_archive
from trainer.studies.crossvalidated import CrossValidation
from trainer.studies.crossvalidation import cross_validate, each_film_a_patient
from trainer.studies.fold import train_fold
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.lesson import LabelledFilms
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe
from trainer.training.train import train
from wetread.engine.network import Network

OPTIONS = TrainingOptions(engine="numpy", epochs=2, batch_size=16, augmentation=NO_AUGMENTATION, learning_rate=0.01)
RECIPE = Recipe("folds", arch="cnn", size=16, width=8, options=OPTIONS, validation=0.2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=36, seed=5, images_per_patient=(1, 3))
    return load_dataset(os.fsencode(folder))


@pytest.fixture(scope="module")
def found(dataset: Dataset) -> CrossValidation:
    return cross_validate(dataset, RECIPE, 3, processes=1)


def test_every_film_is_read_once_by_a_network_that_never_saw_its_patient(
    dataset: Dataset, found: CrossValidation
) -> None:
    assert sorted(film.path for film in found.pooled.films) == sorted(film.path for film in dataset.films)
    for fold in found.folds:
        held_out = set(fold.readings.patients)
        assert {who for who, side in fold.split.sides.items() if side is Side.TEST} == held_out
        assert fold.acquainted == 0.0
    body = found.to_json()
    assert body["leaky"] is False and body["split"] == "by patient" and body["warnings"] == []
    assert sum(fold["n"] for fold in body["folds"]) == body["pooled"]["n"] == len(dataset)
    assert body["pooled"]["patients"] == len(dataset.patients)


def test_pooled_figures_are_of_each_folds_own_temperature(found: CrossValidation) -> None:
    assert len({fold.readings.temperature for fold in found.folds}) > 1
    shares = np.concatenate([fold.readings.probabilities for fold in found.folds])
    assert found.pooled.probabilities == pytest.approx(shares)
    body = found.to_json()
    right = sum(fold["accuracy"]["value"] * fold["n"] for fold in body["folds"])
    assert body["pooled"]["accuracy"]["value"] == pytest.approx(right / body["pooled"]["n"])
    raw = np.concatenate([fold.readings.logits for fold in found.folds])
    before = evaluate(replace(found.pooled, logits=raw), replicates=1)
    assert body["pooled"]["before_temperature"] == {"ece": before["ece"], "brier": before["brier"]}
    assert set(body["pooled"]) == set(evaluate(found.pooled, replicates=1))


def test_a_fold_is_a_training_on_its_train_side_read_on_its_test_side(dataset: Dataset, found: CrossValidation) -> None:
    fold, preprocess, architecture = found.folds[1], RECIPE.input_preprocess, RECIPE.architecture(3)

    def films_on(side: Side) -> LabelledFilms:
        chosen = fold.split.indices(dataset, side)
        targets = np.array([dataset.targets[index] for index in chosen])
        return LabelledFilms(load_films(dataset, preprocess, indices=chosen, processes=1), targets)

    trained = train(architecture, preprocess, films_on(Side.TRAIN), films_on(Side.VALIDATION), OPTIONS)
    logits = read_by_weights(architecture, trained.weights, preprocess, films_on(Side.TEST).films)
    by_hand = zip(fold.split.indices(dataset, Side.TEST), logits, strict=True)
    read = {film.path: logit for film, logit in zip(fold.readings.films, fold.readings.logits, strict=True)}
    assert len(read) == len(np.unique(logits, axis=0))
    for index, logit in by_hand:
        assert read[dataset.films[index].path] == pytest.approx(logit)


def test_temperature_and_thresholds_are_fitted_on_validation_patients(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []

    def noted(logits: Any, targets: Any, *others: Any) -> FittedDecision:
        fitted.append(len(targets))
        return fit_decision(logits, targets, *others)

    monkeypatch.setattr(trainer.studies.fold, "fit_decision", noted)
    again = cross_validate(dataset, RECIPE, 3, processes=1)
    assert fitted == [len(fold.split.indices(dataset, Side.VALIDATION)) for fold in again.folds]
    decision = again.to_json()["pooled"]["decision"]
    assert decision["said"] == sum(
        int(fold.readings.said.sum()) for fold in again.folds if fold.readings.said is not None
    )


def test_an_image_level_split_is_labelled_and_counts_whom_it_knows(dataset: Dataset) -> None:
    leaky = cross_validate(dataset, RECIPE, 3, leaky=True, processes=1)
    body = leaky.to_json()
    assert body["leaky"] is True and body["split"].startswith("leaky") and body["warnings"][0].startswith("leaky")
    assert sorted(film.path for film in leaky.pooled.films) == sorted(film.path for film in dataset.films)
    # By hand: of the held-out films, how many patients have a film in another fold?
    fold_of = {film.path: number for number, fold in enumerate(leaky.folds) for film in fold.readings.films}
    known = [
        len({fold_of[dataset.films[index].path] for index in dataset.patients[film.patient_id]}) > 1
        for film in dataset.films
    ]
    shares = [fold.acquainted * len(fold.readings.films) for fold in leaky.folds]
    assert sum(shares) == pytest.approx(sum(known)) and sum(known) > 10
    # Intervals stay by patient: several films of one say less than films of several.
    assert body["pooled"]["patients"] == len(dataset.patients)


def test_dealing_films_leaves_what_they_are_alone(dataset: Dataset) -> None:
    dealt = each_film_a_patient(dataset)
    assert len(dealt.patients) == len(dataset) and dealt.targets == dataset.targets
    assert [film.path for film in dealt.films] == [film.path for film in dataset.films]


def test_test_patients_of_a_split_are_left_out(dataset: Dataset) -> None:
    split = split_patients(dataset, validation=0.2, test=0.25, seed=0)
    kept = without_test_patients(dataset, split)
    assert set(kept.patients) == {who for who, side in split.sides.items() if side is not Side.TEST}
    assert len(kept) == len(split.indices(dataset, Side.TRAIN, Side.VALIDATION))


@pytest.mark.parametrize(
    ("folds", "recipe", "message"),
    [(1, RECIPE, "between 2 folds"), (37, RECIPE, "between 2 folds"), (3, replace(RECIPE, validation=0.0), "no film")],
)
def test_what_cannot_be_dealt_is_said_before_films_are_read(
    dataset: Dataset, folds: int, recipe: Recipe, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(trainer.studies.crossvalidation, "take_in")
    with pytest.raises(DataError, match=message):
        cross_validate(dataset, recipe, folds)


def test_one_fold_is_named_as_it_goes_on(dataset: Dataset) -> None:
    named: list[str] = []
    epochs: list[int] = []
    cross_validate(
        dataset,
        RECIPE,
        2,
        processes=1,
        training=lambda fold: named.append(fold) or (lambda at: epochs.append(at.epoch)),
    )
    assert named == ["fold 1/2", "fold 2/2"] and set(epochs) == {1, 2}


def test_a_second_network_is_trained_on_the_same_folds(dataset: Dataset, found: CrossValidation) -> None:
    both = cross_validate(dataset, RECIPE, 3, against="dnn", processes=1)
    other = both.against
    assert other is not None
    assert [fold.split.digest for fold in other.folds] == [fold.split.digest for fold in both.folds]
    for fold, alone in zip(both.folds, found.folds, strict=True):
        assert np.array_equal(fold.readings.logits, alone.readings.logits), "the second changes nothing for the first"
    alone = cross_validate(dataset, replace(RECIPE, arch="dnn"), 3, processes=1)
    body, theirs = both.to_json(), both.to_json()["against"]
    assert theirs["pooled"] == alone.to_json()["pooled"]
    assert (theirs["arch"], theirs["difference"]) == ("dnn", "cnn minus dnn")
    network = RECIPE.architecture(3)
    assert body["parameters"] == sum(array.size for array in Network(network, seed=0).weights().values())
    assert theirs["parameters"] != body["parameters"]
    accuracy = theirs["differences"]["accuracy"]
    values = (body["pooled"]["accuracy"]["value"], theirs["pooled"]["accuracy"]["value"])
    assert accuracy["value"] == pytest.approx(values[0] - values[1])
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]


def test_killed_folds_go_on_where_they_were(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: CrossValidation
) -> None:
    folder, trained = os.fsencode(tmp_path), list[int]()

    def mortal(*given: Any) -> Any:
        trained.append(len(trained))
        if len(trained) == 3:
            raise KeyboardInterrupt
        return train_fold(*given)

    monkeypatch.setattr(trainer.studies.crossvalidation, "train_fold", mortal)
    with pytest.raises(KeyboardInterrupt):
        cross_validate(dataset, RECIPE, 3, processes=1, folder=folder)
    again = cross_validate(dataset, RECIPE, 3, processes=1, folder=folder)
    assert len(trained) == 4, "two folds, the one that was cut short, and it again"
    assert [without_seconds(fold) for fold in again.to_json()["folds"]] == [
        without_seconds(fold) for fold in found.to_json()["folds"]
    ]
    assert again.to_json()["pooled"] == found.to_json()["pooled"]
    with pytest.raises(UsageError, match=r"other settings: .*label_smoothing \(0\.\d+, now 0\.2\); name"):
        other = replace(RECIPE, options=replace(OPTIONS, label_smoothing=0.2))
        cross_validate(dataset, other, 3, processes=1, folder=folder)
    with pytest.raises(UsageError, match=r"other settings: .*split_digests"):
        cross_validate(dataset, RECIPE, 2, processes=1, folder=folder)


def without_seconds(fold: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fold.items() if name not in ("seconds", "spent")}


def test_specificity_decides_of_folds_that_are_kept(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = cross_validate(dataset, replace(RECIPE, specificity=0.99), 2, processes=1, folder=os.fsencode(tmp_path))
    monkeypatch.delattr(trainer.studies.crossvalidation, "train_fold")
    lax, free = (
        cross_validate(dataset, replace(RECIPE, specificity=at), 2, processes=1, folder=os.fsencode(tmp_path))
        for at in (0.5, 0.0)
    )
    shares = [found.to_json()["pooled"]["decision"]["said"] for found in (strict, lax, free)]
    assert shares[0] < shares[1] < shares[2] == len(dataset), "more films are decided"
    assert lax.folds[0].thresholds != strict.folds[0].thresholds


def test_the_data_is_audited_before_anything_is_trained(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Audit] = []
    body = cross_validate(dataset, RECIPE, 2, processes=1, audited=said.append).to_json()
    assert body["audit"] == said[0].to_json(with_cases=False) and body["audit"]["split_checked"]
    monkeypatch.delattr(trainer.studies.crossvalidation, "train_fold")
    with pytest.raises(UnsafeError, match="--strict"):
        cross_validate(dataset, RECIPE, 2, leaky=True, processes=1, strict=True, audited=said.append)
    assert "patient_on_two_sides" in {finding.kind for finding in said[1].findings}, "of a leaky split"


def test_it_is_said_where_the_time_went(found: CrossValidation) -> None:
    body = found.to_json()
    assert body["seconds"]["reading"] > 0 and body["seconds"]["audit"] > 0
    for fold, shown in zip(found.folds, body["folds"], strict=True):
        spent = fold.spent
        assert min(spent.batches, spent.steps, spent.evaluation) > 0
        assert set(shown["spent"]) == {"batches", "steps", "evaluation"}
        assert sum(shown["spent"].values()) == pytest.approx(shown["seconds"], abs=0.1)
