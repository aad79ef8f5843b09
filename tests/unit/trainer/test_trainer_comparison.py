from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

import trainer.studies.comparing
from schemas.errors import DataError, UnsafeError, UsageError
from trainer.audit.findings import Audit
from trainer.audit.intake import take_in
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.dealing import split_patients
from trainer.data.side import Side
from trainer.data.splits import Split
from trainer.phantoms.archive import draw_archive
from trainer.shortcuts.views import VIEWS
from trainer.studies.comparing import compare
from trainer.studies.comparison import Comparison
from trainer.studies.comparison_files import write_comparison
from trainer.studies.plots_comparison import comparison_plot, number_losses
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe
from wetread.engine.history import History
from wetread.imaging.opencv import cv2

OPTIONS = TrainingOptions(
    engine="numpy", epochs=2, batch_size=16, schedule="constant", label_smoothing=0.0, class_weights=False,
    augmentation=NO_AUGMENTATION, seed=3,
)  # fmt: skip
RECIPE = Recipe("comparison", arch="cnn", size=16, width=8, options=OPTIONS, validation=0.3, test=0.0)
ALL = ("rmsprop", "sgd", "adadelta", "adagrad", "adam")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=36, seed=3, images_per_patient=(1, 2))
    return folder


@pytest.fixture(scope="module")
def dataset(films: Path) -> Dataset:
    return load_dataset(os.fsencode(films))


def compared(dataset: Dataset, recipe: Recipe = RECIPE, optimizers: tuple[str, ...] = ALL, **more: Any) -> Comparison:
    return compare(dataset, recipe, optimizers, processes=1, **more)


def without_seconds(comparison: Comparison) -> dict[str, Any]:
    return {
        name: (replace_seconds(outcome.history), outcome.settings, outcome.accuracy)
        for name, outcome in comparison.outcomes.items()
    }


def replace_seconds(history: History) -> dict[str, list[float]]:
    return history.to_json() | {"seconds": []}


def test_every_optimizer_starts_from_the_same_weights_and_takes_the_same_batches(dataset: Dataset) -> None:
    # With steps of nothing, only the optimizers differ: every loss must then be the same.
    still = compared(dataset, rates=dict.fromkeys(ALL, 1e-12))
    losses = [(outcome.history.loss, outcome.history.val_loss) for outcome in still.outcomes.values()]
    for loss, val_loss in losses[1:]:
        assert loss == pytest.approx(losses[0][0], rel=1e-5) and val_loss == pytest.approx(losses[0][1], rel=1e-5)
    moving = compared(dataset)
    assert len({outcome.history.loss[-1] for outcome in moving.outcomes.values()}) == len(ALL)
    assert {name: outcome.settings["learning_rate"] for name, outcome in moving.outcomes.items()} == {
        "rmsprop": 0.001, "sgd": 0.01, "adadelta": 0.001, "adagrad": 0.001, "adam": 0.001,
    }  # fmt: skip


def test_the_held_out_are_patients_of_whom_nothing_was_learned(dataset: Dataset) -> None:
    split = split_patients(dataset, validation=0.3, test=0.0, seed=0)
    learned, held_out = split.indices(dataset, Side.TRAIN), split.indices(dataset, Side.VALIDATION)
    found = compared(dataset, optimizers=("adam",))
    assert found.films == {"training": len(learned), "held_out": len(held_out)}
    assert found.patients["training"] + found.patients["held_out"] == len(dataset.patients)
    accuracy = found.outcomes["adam"].accuracy
    assert accuracy["value"] == pytest.approx(found.outcomes["adam"].history.val_accuracy[-1])
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert accuracy["low"] < accuracy["high"]


def test_the_range_is_of_the_last_ten_epochs(dataset: Dataset) -> None:
    outcome = compared(dataset, optimizers=("sgd",)).outcomes["sgd"]
    rising = History([1.0] * 12, [n / 100 for n in range(12)], [1.0] * 12, [n / 10 for n in range(12)], [0.0] * 12)
    body = replace(outcome, history=rising).to_json()
    assert body["held_out"]["accuracy_range_of_last_epochs"] == [0.2, 1.1]
    assert body["training"]["accuracy_range_of_last_epochs"] == [0.02, 0.11]


def test_the_interval_is_by_patient_not_by_film(dataset: Dataset) -> None:
    split = split_patients(dataset, validation=0.3, test=0.0, seed=0)
    # One patient has all the held-out films: whoever is drawn, the figure is the same.
    held_out = set(split.indices(dataset, Side.VALIDATION))
    films = [replace(film, patient_id="one") if i in held_out else film for i, film in enumerate(dataset.films)]
    sides = {film.patient_id: Side.TRAIN for film in films} | {"one": Side.VALIDATION}
    found = compared(replace(dataset, films=tuple(films)), replace(RECIPE, split=replace(split, sides=sides)), ("sgd",))
    accuracy = found.outcomes["sgd"].accuracy
    assert 0 < accuracy["value"] < 1 and accuracy["low"] == pytest.approx(accuracy["high"])


def test_the_test_patients_of_a_split_are_not_read(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    split = split_patients(dataset, validation=0.25, test=0.25, seed=1)
    read: list[str] = []

    def noted(of: Dataset, preprocess: Any, **more: Any) -> Any:
        read.extend(film.name for film in of.films)
        return take_in(of, preprocess, **more)

    monkeypatch.setattr(trainer.studies.comparing, "take_in", noted)
    found = compared(dataset, replace(RECIPE, split=split), ("sgd",))
    assert read == [dataset.films[index].name for index in split.indices(dataset, Side.TRAIN, Side.VALIDATION)]
    assert found.fixed["split_digest"] == split.digest


def test_a_killed_comparison_goes_on_where_it_was(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, whole, trained = os.fsencode(tmp_path), compared(dataset, optimizers=("sgd", "adam")), []

    def mortal(architecture: Any, preprocess: Any, training: Any, held_out: Any, options: Any, report: Any) -> Any:
        trained.append(options.optimizer)
        if trained == ["sgd", "adam"]:
            raise KeyboardInterrupt
        return trainer.training.train.train(architecture, preprocess, training, held_out, options, report)

    monkeypatch.setattr(trainer.studies.comparing, "train", mortal)
    with pytest.raises(KeyboardInterrupt):
        compared(dataset, optimizers=("sgd", "adam"), folder=folder)
    again = compared(dataset, optimizers=("sgd", "adam"), folder=folder)
    assert trained == ["sgd", "adam", "adam"]
    assert without_seconds(again) == without_seconds(whole)
    with pytest.raises(UsageError, match=r"seed \(3, now 4\)"):
        compared(dataset, replace(RECIPE, options=replace(OPTIONS, seed=4)), ("sgd",), folder=folder)


def test_the_panel_of_a_killed_comparison_is_kept_and_is_the_same_whatever_optimizers_are_asked_for(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, panel=True)
    first = compared(dataset, recipe, ("sgd",), folder=os.fsencode(tmp_path)).shortcuts
    monkeypatch.setattr("trainer.studies.comparing.make_panel", None)
    again = compared(dataset, recipe, ("sgd", "adam"), folder=os.fsencode(tmp_path)).shortcuts
    assert first is not None and again == first
    assert first["views"].keys() == VIEWS.keys()
    assert compared(dataset, optimizers=("sgd",)).shortcuts is None


def test_a_loss_that_runs_away_names_its_optimizer(dataset: Dataset) -> None:
    with (
        np.errstate(all="ignore"),
        pytest.raises(DataError, match=r"^sgd: expected a finite loss, .* smaller learning rate"),
    ):
        compared(dataset, optimizers=("sgd",), rates={"sgd": 1e30})


@pytest.mark.parametrize(
    ("optimizers", "rates", "message"),
    [((), {}, "found none"), (("sgd",), {"adam": 0.1}, "found one of adam"), (("lion",), {}, "rmsprop, sgd")],
)
def test_what_cannot_be_compared_is_said_before_films_are_read(
    dataset: Dataset,
    optimizers: tuple[str, ...],
    rates: dict[str, float],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(trainer.studies.comparing, "take_in")
    with pytest.raises(UsageError, match=message):
        compared(dataset, optimizers=optimizers, rates=rates)


def test_a_label_without_a_training_film_is_said_before_films_are_read(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = split_patients(dataset, validation=0.3, test=0.0, seed=0)
    lost = {film.patient_id for film in dataset.films if film.label == "covid"}
    monkeypatch.delattr(trainer.studies.comparing, "take_in")
    moved = replace(split, sides={who: Side.TEST if who in lost else side for who, side in split.sides.items()})
    with pytest.raises(DataError, match="no training film"):
        compared(dataset, replace(RECIPE, split=moved))


def test_the_files_hold_the_same_figures(dataset: Dataset, tmp_path: Path) -> None:
    comparison = compared(dataset, optimizers=("sgd", "adam"))
    write_comparison(os.fsencode(tmp_path / "new" / "folder"), comparison, title="drawn")
    folder = tmp_path / "new" / "folder"
    body = json.loads((folder / "comparison.json").read_text())
    assert body == json.loads(json.dumps(comparison.to_json()))
    with (folder / "table.csv").open(newline="") as file:
        table = {row["optimizer"]: row for row in csv.DictReader(file)}
    with (folder / "epochs.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    assert set(table) == {"sgd", "adam"} and len(epochs) == 4
    adam = comparison.outcomes["adam"].history
    interval = comparison.outcomes["adam"].accuracy
    assert [float(cell) for cell in list(table["adam"].values())[1:-1]] == [
        0.001, adam.accuracy[0], adam.accuracy[-1], adam.loss[0], adam.loss[-1], adam.val_accuracy[0],
        interval["value"], interval["low"], interval["high"], adam.val_loss[0], adam.val_loss[-1],
    ]  # fmt: skip
    assert [float(row["loss"]) for row in epochs if row["optimizer"] == "adam"] == adam.loss
    assert cv2.imdecode(np.fromfile(folder / "curves.png", np.uint8), cv2.IMREAD_COLOR) is not None


def test_the_notes_say_what_the_paper_does_not_state(dataset: Dataset) -> None:
    notes = " ".join(compared(dataset, optimizers=("sgd",), rates={"sgd": 0.05}).notes)
    assert "sgd 0.05" in notes and "the paper states none" in notes
    assert "16 x 16 pixels" in notes and "batches of 16" in notes and "no augmentation" in notes


def test_both_curves_of_every_optimizer_are_drawn(dataset: Dataset) -> None:
    comparison = compared(dataset, optimizers=("sgd", "adam"))
    outcome = comparison.outcomes["sgd"]
    perfect = replace(outcome, history=replace(outcome.history, loss=[0.5, 0.0]))
    png = comparison_plot(replace(comparison, outcomes={"sgd": perfect, "adam": comparison.outcomes["adam"]}))
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    columns = [np.array_split(pixels, 2, axis=1)[column] for column in (0, 1)]
    for colour in ((0xB2, 0x72, 0), (0, 0x5E, 0xD5)):  # blue, green, red: training, held out
        assert all((half == colour).all(axis=2).any() for half in columns)


@pytest.mark.parametrize(("losses", "several"), [([1.4, 0.95], True), ([1.0, 0.001], True), ([1.0, 1.0], False)])
def test_the_axis_of_losses_has_numbers_however_short_it_is(losses: list[float], several: bool) -> None:
    axes = Figure().add_subplot()
    axes.plot([1, 2], losses)
    axes.set_yscale("log")
    number_losses(axes)
    least, greatest = axes.get_ylim()
    numbers = [place for place in axes.get_yticks() if least <= place <= greatest]
    assert len(numbers) >= (2 if several else 1)


def test_the_data_is_audited_before_anything_is_trained(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Audit] = []
    body = compared(dataset, optimizers=("sgd",), audited=said.append).to_json()
    assert body["audit"] == said[0].to_json(with_cases=False) and body["audit"]["split_checked"]
    monkeypatch.delattr(trainer.studies.comparing, "train")
    # One film of each held-out patient is learned from too, as another patient's.
    twice = tuple(replace(film, patient_id=f"{film.patient_id} again") for film in dataset.films)
    copied = replace(dataset, films=(*dataset.films, *twice))
    sides = split_patients(dataset, validation=0.3, test=0.0, seed=0).sides
    given = Split({**sides, **{film.patient_id: Side.TRAIN for film in twice}})
    with pytest.raises(UnsafeError, match="--strict"):
        compared(copied, replace(RECIPE, split=given), ("sgd",), strict=True, audited=said.append)
    assert "copy_on_two_sides" in {finding.kind for finding in said[1].findings}


def test_a_person_under_two_ids_is_learned_or_held_out(dataset: Dataset) -> None:
    twice = tuple(replace(film, patient_id=f"{film.patient_id} again") for film in dataset.films)
    found = compared(replace(dataset, films=(*dataset.films, *twice)), optimizers=("sgd",))
    assert found.audit.people_with_several_ids == len(dataset.patients) == sum(found.patients.values())
    assert "copy_on_two_sides" not in {finding.kind for finding in found.audit.findings}
