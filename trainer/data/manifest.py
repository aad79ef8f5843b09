"""Films listed in a manifest: path, label and patient, and whatever else is known of each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType

from schemas.errors import DataError
from trainer.data.bad_rows import BadRows
from trainer.data.columns import Columns, columns_of
from trainer.data.csv_text import csv_rows
from trainer.data.film import Film
from trainer.data.film_places import FilmPlaces
from trainer.data.layout import DataLayout
from trainer.data.patient_pattern import compiled
from wetread.path_text import path_text

MANIFEST = b"manifest.csv"


def manifest_films(root: bytes, manifest: bytes, layout: DataLayout) -> Iterator[Film]:
    """Yield the films that the file `manifest` lists, under `root`, but those that `layout` leaves out.

    Raises DataError naming every row that is wrong, or the column that is missing.
    """
    where = path_text(manifest)
    lines = csv_rows(manifest)
    _, header = next(lines, (0, []))
    rows = _Rows(columns_of(where, header, layout), layout, FilmPlaces(root), compiled(layout.patient_pattern))
    seen: dict[bytes, int] = {}
    bad = BadRows()
    for line, cells in lines:
        try:
            film = rows.film(cells)
            if film is None:
                continue
            if film.path in seen:
                raise ValueError(f"{film.name} is already on line {seen[film.path]}; keep one row a file")
        except ValueError as fault:
            bad.add(f"{where}, line {line}: {fault}")
            continue
        seen[film.path] = line
        yield film
    bad.raise_if_any()


class _Rows:
    """Makes films of a manifest's rows."""

    def __init__(
        self, columns: Columns, layout: DataLayout, places: FilmPlaces, pattern: re.Pattern[str] | None
    ) -> None:
        self._columns = columns
        self._words = layout.words
        self._places = places
        self._pattern = pattern

    def film(self, cells: Sequence[str]) -> Film | None:
        """Return the film of a row, None where it is left out; raise ValueError with a sentence for a bad row."""
        columns = self._columns
        if len(cells) != len(columns.names):
            raise ValueError(f"expected {len(columns.names)} cells, as the header has, found {len(cells)}")
        path, word = cells[columns.path].strip(), cells[columns.label].strip()
        name = path or "the row"
        try:
            label = self._words.label_of(word)
        except ValueError as fault:
            raise ValueError(f"{name} {fault}") from fault
        if label is None:
            return None
        patient_id = self._patient(path, cells)
        for column, cell in ((columns.path, path), (columns.label, label), (columns.patient, patient_id)):
            if not cell:
                which = "patient" if column is None else columns.names[column]
                raise ValueError(f"{which} is empty; {name} cannot be used without it")
        mask = "" if columns.mask is None else cells[columns.mask].strip()
        try:
            place = self._places.find(path)
            mask_place = self._places.find(mask) if mask else None
        except ValueError as fault:
            raise ValueError(f"{name}: {fault}") from fault
        others = {column: cells[index].strip() for index, column in columns.others.items() if cells[index].strip()}
        return Film(place, label, patient_id, MappingProxyType(others), mask=mask_place)

    def _patient(self, path: str, cells: Sequence[str]) -> str:
        if self._columns.patient is not None:
            return cells[self._columns.patient].strip()
        match = self._pattern.search(path) if self._pattern is not None else None
        if match is None or not match.group(1):
            raise ValueError(f"{path}: the patient pattern finds no patient in this path")
        return match.group(1)


def manifest_of(root: bytes, layout: DataLayout) -> bytes | None:
    """Return the manifest of the data under `root`; None where its folders say the labels.

    Raises DataError where the one that is named, or that its options ask for, is not there.
    """
    named = MANIFEST if layout.manifest is None else os.fsencode(layout.manifest)
    path = os.path.join(root, named)
    if os.path.exists(path):
        return path
    if layout.names_columns:
        raise DataError(f"{path_text(path)}: expected the manifest, found none there; name it with --manifest FILE")
    return None
