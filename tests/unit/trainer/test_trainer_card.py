from __future__ import annotations

import os
from dataclasses import replace

import pytest

from trainer.card.model_card import CardNotes, model_card
from trainer.data.dataset import load_dataset
from trainer.data.side import Side
from trainer.phantoms.archive import draw_archive
from trainer.studies.making import Made, make_model
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe

OPTIONS = TrainingOptions(engine="numpy", epochs=1, batch_size=16)
RECIPE = Recipe(name="drawn", size=16, width=2, options=OPTIONS, gate=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=30, seed=5, images_per_patient=(1, 1))
    return make_model(load_dataset(os.fsencode(folder)), RECIPE, processes=1)


def card(made: Made) -> str:
    return model_card(made, CardNotes("wetread train films"))


def test_the_card_says_what_a_film_is_called(made: Made) -> None:
    assert "gives a chest film one of them, or calls it `uncertain`, also where" in card(made)
    without = replace(made, decision=replace(made.decision, thresholds=dict.fromkeys(made.dataset.labels, 0.0)))
    assert "gives a chest film one of them, also where" in card(without)
    assert "## Decision" in card(made) and "and thresholds, fitted" in card(made)
    assert "## Decision" not in card(without) and "and thresholds, fitted" not in card(without)


def test_the_epoch_that_was_kept_is_said_without_saying_that_training_ended_early(made: Made) -> None:
    assert "1 of 1 epochs: the last one kept" in card(made)
    patient = replace(made, recipe=replace(RECIPE, options=replace(OPTIONS, patience=1)))
    assert "1 of 1 epochs: epoch 1 kept, of the least validation loss (patience 1)" in card(patient)


def test_only_what_was_chosen_on_the_validation_patients_is_blamed(made: Made) -> None:
    closed = replace(made, shown=Side.VALIDATION)
    assert "on whom the temperature and the thresholds were fitted, and are too high" in card(closed)
    patient = replace(closed, recipe=replace(RECIPE, options=replace(OPTIONS, patience=1)))
    assert "on whom the epoch was chosen and the temperature" in card(patient)


def test_the_protocol_says_who_dealt_the_patients(made: Made) -> None:
    assert "Split by patient, stratified by label and source; no patient is on two sides." in card(made)
    given = card(replace(made, recipe=replace(RECIPE, split=made.split)))
    assert "stratified" not in given
    assert "Split by patient id, as a file said; no id is on two sides." in given


def test_the_protocol_says_why_there_are_fewer_people_than_ids(made: Made) -> None:
    assert "several patient ids" not in card(made)
    several = replace(made, audit=replace(made.audit, people_with_several_ids=2))
    assert "2 people have several patient ids, by films that are the same: each is kept on one side" in card(several)
    one = replace(several, audit=replace(made.audit, people_with_several_ids=1))
    assert "1 person has several" in card(one)
    given = card(replace(several, recipe=replace(RECIPE, split=made.split)))
    assert "each is counted once in the figures" in given


def test_an_interval_without_width_is_no_proof(made: Made) -> None:
    assert "up to 3 in n others may be one (95%)" in card(made)
