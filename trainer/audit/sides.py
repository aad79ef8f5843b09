"""Reads on which sides of a split each film is, faults included: a patient or a film may be on several."""

from __future__ import annotations

import os
from collections import defaultdict

from schemas.errors import DataError
from trainer.data.csv_text import csv_rows
from trainer.data.dataset import Dataset
from trainer.data.side import Side
from trainer.data.splits import Split
from wetread.path_text import path_text

Sides = tuple[frozenset[str], ...]
"""The sides of each film, in the data set's order; of a cross-validation they are its folds."""

_BY_PATIENT, _BY_IMAGE = ["patient_id", "side"], ["path", "side"]


def sides_of(dataset: Dataset, split: Split) -> Sides:
    """Return the sides of the films under `split`; raise DataError naming a patient that has none."""
    return _sides(dataset, {patient: {side} for patient, side in split.sides.items()}, by_image=False)


def folder_sides(dataset: Dataset) -> Sides | None:
    """Return the sides that the data's own folders say, as they are; None where they say none."""
    if not dataset.has_sides:
        return None
    return tuple(frozenset() if film.side is None else frozenset({film.side}) for film in dataset.films)


def read_sides(path: bytes, dataset: Dataset) -> Sides:
    """Return the sides of the films under the split in the csv file at `path`.

    Its columns are patient_id and side or, for a split by image, path and side. Unlike `trainer.data.splits.read_split`
    it takes a patient who is there twice: that is a finding. Raises DataError naming the line that is
    wrong, or a film that has no side.
    """
    name = path_text(path)
    sides: dict[str, set[Side]] = defaultdict(set)
    rows = csv_rows(path)
    if (header := next(rows, (0, []))[1]) not in (_BY_PATIENT, _BY_IMAGE):
        raise DataError(
            f"{name}: expected the columns patient_id,side, or path,side for a split by image, found "
            f"{','.join(header) or 'nothing'}"
        )
    for line, row in rows:
        if len(row) != len(header) or row[1] not in set(Side):
            raise DataError(f"{name}, line {line}: expected {header[0]} and {', '.join(Side)}")
        sides[os.path.normpath(row[0]) if header == _BY_IMAGE else row[0]].add(Side(row[1]))
    return _sides(dataset, sides, by_image=header == _BY_IMAGE)


def _sides(dataset: Dataset, sides: dict[str, set[Side]], *, by_image: bool) -> Sides:
    found = []
    for film in dataset.films:
        key = os.fsdecode(film.path) if by_image else film.patient_id
        if key not in sides:
            raise DataError(
                f"{film.name} of patient {film.patient_id} is not in the split, which was made for other data: make "
                "one for this data, or leave it away"
            )
        found.append(frozenset(sides[key]))
    return tuple(found)
