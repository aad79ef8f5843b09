"""The split that the data's own folders give: train, val and test, as in Kaggle's data sets."""

from __future__ import annotations

from dataclasses import replace

from schemas.errors import DataError
from trainer.data.dataset import Dataset
from trainer.data.dealing import split_patients
from trainer.data.side import Side
from trainer.data.splits import Split
from trainer.training.recipe import Recipe

NAMED = 5
"""Patients on two sides that a message names."""


def by_its_folders(recipe: Recipe, dataset: Dataset) -> Recipe:
    """Return the recipe with the split of the data's folders, where it has none of its own and the data has sides."""
    if recipe.split is not None or not dataset.has_sides:
        return recipe
    return replace(recipe, split=folder_split(dataset, validation=recipe.validation, seed=recipe.split_seed))


def folder_split(dataset: Dataset, *, validation: float, seed: int) -> Split:
    """Return the split that the folders say; without a folder val, this share of train's people validates.

    Raises DataError where a patient is on two sides, or where no folder train is there.
    """
    sides: dict[str, set[Side]] = {}
    for film in dataset.films:
        if film.side is not None:
            sides.setdefault(film.patient_id, set()).add(film.side)
    if twice := sorted(patient for patient, of_patient in sides.items() if len(of_patient) > 1):
        raise DataError(
            f"expected each patient in one of the folders train, val and test, found {len(twice)} in two: "
            f"{', '.join(twice[:NAMED])}; --ignore-sides deals the patients anew, or give --split FILE"
        )
    split = Split({patient: of_patient.pop() for patient, of_patient in sides.items()})
    if Side.TRAIN not in split.sides.values():
        raise DataError("expected a folder train to learn from, found none; --ignore-sides deals the patients anew")
    if Side.VALIDATION in split.sides.values():
        return split
    learned = replace(dataset, films=tuple(dataset.films[index] for index in split.indices(dataset, Side.TRAIN)))
    return Split({**split.sides, **split_patients(learned, validation=validation, test=0.0, seed=seed).sides})


def films_on(dataset: Dataset, side: Side) -> tuple[int, ...]:
    """Return the indices of the films in the folder of a side; raise DataError where there is none."""
    found = tuple(index for index, film in enumerate(dataset.films) if film.side is side)
    if not found:
        there = ", ".join(dict.fromkeys(film.side for film in dataset.films if film.side is not None))
        raise DataError(
            f"expected films in the data's folder for {side}, found folders for {there} alone; name one of them with "
            "--side, or take all films with --ignore-sides"
        )
    return found
