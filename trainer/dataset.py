"""Labelled films on disk: a folder per label, or a manifest.csv beside the images.

A manifest has the columns path (relative to its folder), label and patient_id; any further column, such
as source, view, sex or age, is kept as an attribute, and results are given by it.

Without a manifest the first folder below the root is the label, and patients are told apart by the first
rule that applies:

1. `patient_pattern`, a regular expression with one group, searched in the path below the label's folder;
2. a folder below the label's folder is a patient: LABEL/PATIENT/.../FILE;
3. each file is its own patient. Then one patient's films can fall on both sides of a split, which makes
   a figure look better than it is: `Dataset.patients_known` is False and the model's card says so loudly.

Everything that can be wrong without decoding an image is found here, before any work starts.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from schemas.errors import DataError, UsageError
from schemas.labels import checked_labels
from trainer.film import Film, path_text
from trainer.label_folders import folder_films
from trainer.manifest import MANIFEST, REQUIRED_COLUMNS, manifest_films


@dataclass(frozen=True)
class Dataset:
    """Labelled films under one root.

    labels: the classifier's labels in order: alphabetical, unless a model's own were asked for.
    patients_known: False when each file had to be taken for a patient of its own.
    """

    root: bytes
    films: tuple[Film, ...]
    labels: tuple[str, ...]
    patients_known: bool

    def __len__(self) -> int:
        return len(self.films)

    @cached_property
    def patients(self) -> Mapping[str, tuple[int, ...]]:
        """Patient id -> the indices of that patient's films."""
        return _grouped(film.patient_id for film in self.films)

    @cached_property
    def people(self) -> Mapping[str, tuple[int, ...]]:
        """Person -> the indices of that person's films, under whatever ids."""
        return _grouped(film.person for film in self.films)

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """The index of each film's label."""
        position = {label: index for index, label in enumerate(self.labels)}
        return tuple(position[film.label] for film in self.films)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rows, whatever their order: path, label, patient and attributes, not the pixels."""
        rows = sorted(
            json.dumps([os.fsdecode(film.path), film.label, film.patient_id, sorted(film.attributes.items())])
            for film in self.films
        )
        return hashlib.sha256("\n".join(rows).encode("ascii")).hexdigest()


def _grouped(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        found.setdefault(name, []).append(index)
    return {name: tuple(indices) for name, indices in found.items()}


def load_dataset(root: bytes, *, labels: Sequence[str] | None = None, patient_pattern: str | None = None) -> Dataset:
    """Return the data set under `root`.

    labels: a model's labels, in its order; then any other label is an error, and one label alone is not.
    patient_pattern: how a file's path names its patient; only for a folder per label.

    Raises DataError naming the file or the row: no data, a missing column, an empty cell, a path twice, a
    file that is not there, a label that is unknown, fewer than two labels.
    """
    if not os.path.isdir(root):
        raise DataError(f"{path_text(root)}: expected a directory of labelled images, found none there")
    manifest = os.path.join(root, MANIFEST)
    if os.path.exists(manifest):
        if patient_pattern is not None:
            raise DataError(f"{path_text(manifest)} names the patients: leave the patient pattern away")
        films, patients_known = tuple(manifest_films(root, manifest)), True
    else:
        films, patients_known = folder_films(root, patient_pattern)
    if not films:
        raise DataError(
            f"{path_text(root)}: found no images; expected a folder per label, or manifest.csv with "
            f"{', '.join(REQUIRED_COLUMNS)}"
        )
    return Dataset(root, films, _labels(root, films, labels), patients_known)


def _labels(root: bytes, films: Sequence[Film], wanted: Sequence[str] | None) -> tuple[str, ...]:
    if wanted is not None:
        for film in films:
            if film.label not in wanted:
                raise DataError(f"{film.name}: label {film.label!r} is unknown; the model knows {', '.join(wanted)}")
        return tuple(wanted)
    try:
        return checked_labels(tuple(sorted({film.label for film in films})))
    except UsageError as error:
        raise DataError(f"{path_text(root)}: {error}") from error
