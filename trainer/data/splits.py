"""Splits: which patients a model learns from, is chosen on, and is judged on.

A patient is on one side only: several films of one person are near copies of each other, and a model that
saw one of them in training is not being tested on the others. Where the data names no patients is the
data set's business (`trainer.data.dataset`), and is said in the card.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from schemas.errors import DataError
from trainer.data.csv_text import csv_rows
from trainer.data.dataset import Dataset
from trainer.data.side import Side
from wetread.path_text import path_text
from wetread.whole_file import write_whole

COLUMNS = ["patient_id", "side"]


@dataclass(frozen=True)
class Split:
    """The side of each patient."""

    sides: Mapping[str, Side]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the split as `write` writes it."""
        return hashlib.sha256(self._csv()).hexdigest()

    def indices(self, dataset: Dataset, *sides: Side) -> tuple[int, ...]:
        """Return the films of `dataset` on `sides`, in the data set's order.

        Raises DataError when a patient has no side, or when there is no film on these sides: the split
        was then made for other data.
        """
        for patient in dataset.patients:
            if patient not in self.sides:
                raise DataError(
                    f"patient {patient} ({dataset.films[dataset.patients[patient][0]].name}) is not in the split, "
                    "which was made for other data: make one for this data, or leave it away"
                )
        found = tuple(index for index, film in enumerate(dataset.films) if self.sides[film.patient_id] in sides)
        if not found:
            raise DataError(f"the split has no film of this data on its side {' or '.join(sides)}")
        return found

    def counts(self) -> dict[str, int]:
        """Return the number of patients on each side."""
        counts = Counter(self.sides.values())
        return {side.value: counts[side] for side in Side}

    def write(self, path: bytes) -> None:
        """Write the split as csv with the columns patient_id and side, for its maker's eyes: it names patients."""
        write_whole(path, self._csv())

    def _csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted((patient, side.value) for patient, side in self.sides.items()))
        return text.getvalue().encode()


def read_split(path: bytes) -> Split:
    """Return the split in the csv file at `path`; raise DataError naming the line that is wrong."""
    name = path_text(path)
    sides: dict[str, Side] = {}
    rows = csv_rows(path)
    if (header := next(rows, (0, []))[1]) != COLUMNS:
        raise DataError(f"{name}: expected the columns patient_id,side, found {','.join(header) or 'nothing'}")
    for line, row in rows:
        if len(row) != len(COLUMNS) or row[1] not in set(Side):
            raise DataError(f"{name}, line {line}: expected a patient and {', '.join(Side)}")
        if row[0] in sides:
            raise DataError(f"{name}, line {line}: patient {row[0]} has a side already")
        sides[row[0]] = Side(row[1])
    return Split(sides)


def without_test_patients(dataset: Dataset, split: Split) -> Dataset:
    """Return the films that `split` does not set aside to test on."""
    kept = split.indices(dataset, Side.TRAIN, Side.VALIDATION)
    return replace(dataset, films=tuple(dataset.films[index] for index in kept))


def side_counts(dataset: Dataset, split: Split) -> dict[str, dict[str, int]]:
    """Return side -> label -> number of films, for the card."""
    counts = {side.value: dict.fromkeys(dataset.labels, 0) for side in Side}
    for film in dataset.films:
        side = split.sides.get(film.patient_id)
        if side is not None:
            counts[side.value][film.label] += 1
    return counts


def shipped_split_path() -> bytes:
    """Return the committed split of ../shared/data/cxr: its test patients are opened once per shipped model."""
    return os.fsencode(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "splits", "cxr.csv"))
