"""A model that reads lungs alone: from films with masks to a segmenter, and from that to a model with its controls."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import DataError, UsageError
from trainer.audit.intake import take_in
from trainer.backbones.lite0 import MEAN, STD, lite0
from trainer.card.model_card import CardNotes, model_card
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.layout import DataLayout
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.reading import readings_of
from trainer.field.studying import study_field
from trainer.shortcuts.controls import CONTROLS
from trainer.statistics.softmax_logistic import fit_softmax
from trainer.studies.making import Made, make_model
from trainer.training import lesson
from trainer.training.augment import NO_AUGMENTATION, Augmentation
from trainer.training.balance import balanced_shares
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe
from wetread.engine.network import Network
from wetread.imaging.lung_field import LungField
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import load_artefact, save_artefact
from wetread.models.field_network import decode_field
from wetread.models.loading import load_classifier

PATIENTS = 60
PIXELS = 160


def draw(root: Path) -> None:
    """Dark lungs on a grey body, half with a bright patch, most of these AP, as in life; two films a patient."""
    random = np.random.default_rng(0)
    rows = ["path,mask,label,patient_id,source,view"]
    for number in range(2 * PATIENTS):
        patient = number // 2
        ill = patient % 2 == 0
        film, mask = random.normal(150, 8, (PIXELS, PIXELS)), np.zeros((PIXELS, PIXELS), np.uint8)
        shift = random.integers(-6, 7, 2)
        for side in (48, 112):
            cv2.ellipse(mask, (int(side + shift[0]), int(80 + shift[1])), (22, 52), 0, 0, 360, 255, -1)
        film[mask > 0] -= 90
        if ill:
            place = (int(48 + 64 * random.integers(2) + shift[0]), int(random.integers(60, 110)))
            patch = np.zeros_like(mask)
            cv2.circle(patch, place, 13, 255, -1)
            film[(patch > 0) & (mask > 0)] += 70
        levels = np.clip(film * random.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
        (root / f"{number}.png").write_bytes(cv2.imencode(".png", levels)[1].tobytes())
        (root / f"{number}-mask.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
        view = "AP" if (patient % 10 > 3) == ill else "PA"
        label = "opacity" if ill else "normal"
        rows.append(f"{number}.png,{number}-mask.png,{label},p{patient},drawn,{view}")
    (root / "manifest.csv").write_text("\n".join(rows))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("lungs")
    draw(root)
    return load_dataset(os.fsencode(root))


@pytest.fixture(scope="module")
def field(data: Dataset) -> tuple[LungField, dict]:
    layout = DataLayout(label_column="label")
    found, report = study_field(data.root, layout, epochs=5, seed=0, held_out=0.3, processes=1)
    return decode_field(found), report


@pytest.fixture(scope="module")
def made(data: Dataset, field: tuple[LungField, dict]) -> Made:
    drawn = Network(lite0(2, size=64), seed=1).weights()
    backbone = {name: array for name, array in drawn.items() if not name.startswith("logits/")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lesson, "lite0_weights", lambda: backbone)
        return make_model(data, recipe(field[0]), processes=1)


def recipe(field: LungField) -> Recipe:
    options = TrainingOptions(engine="numpy", backbone="lite0", freeze=True, augmentation=Augmentation())
    preprocess = Preprocess(clip_limit=0, brightness=0, mean=MEAN, std=STD, lung_field=field)
    return Recipe(name="lungs", arch="lite0", size=64, preprocess=preprocess, options=options, test=0.4, panel=True,
                  balance="view", specificity=0)  # fmt: skip


def test_the_segmenter_finds_the_lungs_of_held_out_patients(field: tuple[LungField, dict]) -> None:
    report = field[1]
    assert report["held_out"]["patients"] == round(0.3 * PATIENTS)
    assert report["held_out"]["dice"]["value"] > 0.9
    assert set(report["held_out"]["kinds"]) == {"drawn normal", "drawn opacity"}
    assert report["network_sha256"] == field[0].network_sha256


def test_the_same_seed_gives_the_same_segmenter(data: Dataset) -> None:
    layout = DataLayout(label_column="label")
    one, other = (study_field(data.root, layout, epochs=1, seed=2, held_out=0.8, processes=1)[0] for _ in range(2))
    assert one == other


def test_a_model_learns_its_last_layer_alone_and_is_set_against_controls(made: Made) -> None:
    assert made.metrics["test"]["macro_auroc"]["value"] > 0.8, "even a backbone of random weights sees a patch"
    assert made.panel is not None
    assert set(made.panel["views"]) == set(CONTROLS)
    assert made.gate is None, "the lung field is its gate"
    assert made.panel["views"]["the patient's number alone"]["macro_auroc"]["value"] < 0.7
    within = made.metrics["test"]["within_view"]
    assert within, "views with five patients of each label"
    assert all(view in ("AP", "PA") and pairs["normal against opacity"]["auroc"] for view, pairs in within.items())
    card = model_card(made, CardNotes("wetread train"))
    assert "a regression on" in card
    assert "Within one view" in card


def test_whole_films_are_served_as_films_with_masks_were_learned(made: Made, data: Dataset, tmp_path: Path) -> None:
    save_artefact(tmp_path / "model", made.contents({}))
    artefact = load_artefact(tmp_path / "model")
    classifier = load_classifier(artefact, "numpy")
    judged = [index for index, film in enumerate(data.films) if film in made.readings.films]
    without = replace(data, films=tuple(replace(data.films[index], mask=None) for index in judged))
    intake = take_in(without, classifier.preprocess, processes=1)
    assert intake.set_aside == 0
    logits = classifier.read(classifier.preprocess.scaled(intake.films)[..., None]).logits.astype(np.float64)
    readings = readings_of(without, range(len(without)), logits, 1.0, {})
    assert evaluate(readings, replicates=10)["macro_auroc"]["value"] > 0.9


def test_a_film_without_lungs_is_set_aside_and_counted(made: Made, data: Dataset, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes((Path(os.fsdecode(data.root)) / f"{number}.png").read_bytes())
    page = np.full((PIXELS, PIXELS), 240, np.uint8)
    page[10::12] = 20
    (tmp_path / "wall.png").write_bytes(cv2.imencode(".png", page)[1].tobytes())
    rows = ["path,label,patient_id", "0.png,opacity,a", "1.png,opacity,b", "2.png,normal,c", "3.png,normal,d"]
    (tmp_path / "manifest.csv").write_text("\n".join([*rows, "wall.png,normal,e"]))
    intake = take_in(load_dataset(os.fsencode(tmp_path)), made.recipe.input_preprocess, processes=1)
    assert intake.set_aside == 1
    assert [film.name for film in intake.dataset.films] == ["0.png", "1.png", "2.png", "3.png"]
    assert len(intake.films) == len(intake.looks) == 4


def test_labels_count_alike_in_each_view(data: Dataset) -> None:
    shares = balanced_shares(data, range(len(data)), "view")
    cells = {(film.label, film.attributes["view"]): 0.0 for film in data.films}
    for film, share in zip(data.films, shares, strict=True):
        cells[film.label, film.attributes["view"]] += share
    assert len(cells) == 4
    np.testing.assert_allclose(list(cells.values()), len(data) / 4)
    with pytest.raises(DataError, match="hospital"):
        balanced_shares(data, range(len(data)), "hospital")


def test_a_softmax_regression_is_where_its_gradient_vanishes() -> None:
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(60, 3)), random.integers(0, 3, 60)
    shares, ridge = np.full(60, 1 / 60), 0.02
    weights, biases = fit_softmax(inputs, targets, shares, ridge)
    odds = inputs @ weights + biases
    chances = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    slope = inputs.T @ ((chances - np.eye(3)[targets]) * shares[:, None]) + ridge * weights
    assert np.abs(slope).max() < 1e-6
    with pytest.raises(DataError, match="each of two kinds"):
        fit_softmax(inputs, np.zeros(60, np.int64), shares, ridge)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(UsageError, match="backbone"):
        TrainingOptions(freeze=True)
    with pytest.raises(UsageError, match="backbone"):
        TrainingOptions(backbone="vgg")
    assert "backbone" not in TrainingOptions(augmentation=NO_AUGMENTATION).to_json()
