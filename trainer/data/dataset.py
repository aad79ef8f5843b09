"""Labelled films on disk: a folder per label, or a manifest.csv beside the images.

A manifest has the columns path (relative to its folder), label and patient_id, or what `trainer.data.layout` says they
are called; a column mask names pictures of where the lungs are, for models that read lungs alone; any further column,
such as source, view, sex or age, is kept as an attribute, and results are given by it.

Without a manifest the first folder below the root is the label. Folders `train`, `val` and `test` are sides of a split,
with a folder per label in each. Patients are told apart by the first rule that applies:

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
from dataclasses import dataclass, replace
from functools import cached_property

from schemas.errors import DataError, UsageError
from schemas.labels import checked_labels
from trainer.data.bad_rows import BadRows
from trainer.data.film import Film
from trainer.data.label_folders import folder_films
from trainer.data.layout import WETREADS_OWN, DataLayout
from trainer.data.manifest import manifest_films, manifest_of
from wetread.path_text import path_text


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

    @property
    def has_sides(self) -> bool:
        """Whether the data's own folders say who learns and who tests."""
        return any(film.side is not None for film in self.films)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rows, whatever their order: path, label, patient and attributes, not the pixels."""
        rows = sorted(
            json.dumps([os.fsdecode(film.path), film.label, film.patient_id, sorted(film.attributes.items()), *mask])
            for film in self.films
            for mask in [[] if film.mask is None else [os.fsdecode(film.mask)]]
        )
        return hashlib.sha256("\n".join(rows).encode("ascii")).hexdigest()


def _grouped(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        found.setdefault(name, []).append(index)
    return {name: tuple(indices) for name, indices in found.items()}


def load_dataset(root: bytes, layout: DataLayout = WETREADS_OWN, *, labels: Sequence[str] | None = None) -> Dataset:
    """Return the data set under `root`.

    layout: how the data is laid out, where that is not wetread's own way.
    labels: a model's labels, in its order; then any other label is an error, and one label alone is not.

    Raises DataError naming the file or the rows: no data, a missing column, an empty cell, a path twice, a
    file that is not there, a label that is unknown, fewer than two labels.
    """
    if not os.path.isdir(root):
        raise DataError(
            f"{path_text(root)}: expected a directory of labelled images, found none there; a table of films is named "
            "with --manifest, beside the directory that it lies in"
        )
    manifest = manifest_of(root, layout)
    if manifest is not None:
        films, patients_known = tuple(manifest_films(root, manifest, layout)), True
    else:
        films, patients_known = folder_films(root, layout)
    if not films:
        raise DataError(
            f"{path_text(root)}: found no images; expected a folder per label, or manifest.csv with path, label, "
            f"patient_id, or another table with --manifest FILE{_tables_hint(root)}"
        )
    if layout.ignore_sides:
        films = tuple(replace(film, side=None) for film in films)
    hint = "" if manifest is not None else _tables_hint(root)
    return Dataset(root, films, _labels(root, films, labels, hint), patients_known)


def _tables_hint(root: bytes) -> str:
    """Return what to say of tables that lie in `root` and that nobody named; empty where there are none."""
    found = sorted(name for name in os.listdir(root) if name.lower().endswith((b".csv", b".tsv")))
    return "" if not found else f"; {path_text(found[0])} lies there: --manifest {path_text(found[0])} reads it"


def _labels(root: bytes, films: Sequence[Film], wanted: Sequence[str] | None, hint: str) -> tuple[str, ...]:
    if wanted is not None:
        bad = BadRows("films")
        for film in films:
            if film.label not in wanted:
                bad.add(f"{film.name}: label {film.label!r} is unknown; the model knows {', '.join(wanted)}")
        bad.raise_if_any()
        return tuple(wanted)
    try:
        return checked_labels(tuple(sorted({film.label for film in films})))
    except UsageError as error:
        raise DataError(f"{path_text(root)}: {error}; --map OLD=NEW gives a label another name{hint}") from error
