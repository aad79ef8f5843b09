"""Films in a folder per label, and the rules by which their patients are told apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from schemas.errors import DataError
from trainer.data.bad_rows import BadRows
from trainer.data.film import Film
from trainer.data.layout import DataLayout
from trainer.data.patient_pattern import compiled
from trainer.data.side import Side
from wetread.path_text import path_text

IGNORED_FILES = frozenset({b"Thumbs.db", b"desktop.ini"})
"""Files that desktops leave in folders of images; hidden files are ignored too."""


SIDE_FOLDERS = {
    "train": Side.TRAIN, "training": Side.TRAIN, "val": Side.VALIDATION, "valid": Side.VALIDATION,
    "validation": Side.VALIDATION, "test": Side.TEST, "testing": Side.TEST,
}  # fmt: skip
"""Folders that are sides of a split, as Kaggle's data sets have them, and never labels."""

LEFT_BY_ARCHIVERS = frozenset({b"__MACOSX"})


def folder_films(root: bytes, layout: DataLayout) -> tuple[tuple[Film, ...], bool]:
    """Return the films under `root`, and whether their patients are known.

    Folders train, val and test hold a folder per label each: their films have that side. Raises DataError naming the
    files in which no patient is found, or that are no files, and the label's folder that has none.
    """
    folders = [entry for entry in _visible(root) if entry.is_dir() and entry.name not in LEFT_BY_ARCHIVERS]
    sides = [folder for folder in folders if _side(folder) is not None]
    if not sides:
        return _films_of_labels(root, folders, layout)
    if labels := [folder for folder in folders if _side(folder) is None]:
        raise DataError(
            f"{path_text(root)}: {_name(sides[0])} is a side of a split, and {_name(labels[0])} beside it would be a "
            "label; put a folder per label into each side, or all labels into one folder of their own"
        )
    films: list[Film] = []
    patients_known = True
    for folder in sides:
        labels = [entry for entry in _visible(folder.path) if entry.is_dir()]
        of_side, known = _films_of_labels(root, labels, layout)
        if not of_side:
            raise DataError(f"{path_text(folder.path)}: expected a folder per label in it, found no images")
        films += [replace(film, side=_side(folder)) for film in of_side]
        patients_known = patients_known and known
    return tuple(films), patients_known


def _films_of_labels(
    root: bytes, folders: Sequence[os.DirEntry[bytes]], layout: DataLayout
) -> tuple[tuple[Film, ...], bool]:
    """Return the films of one folder per label, and whether their patients are known."""
    pattern = compiled(layout.patient_pattern)
    films: list[Film] = []
    bad = BadRows("films")
    patients_known = True
    for folder in folders:
        try:
            label, before = layout.words.label_of(_label(folder)), len(films)
        except ValueError as fault:
            raise DataError(f"{path_text(folder.path)} {fault}") from fault
        if label is None:
            continue
        for path in _files(folder.path):
            below = os.path.relpath(path, folder.path)
            try:
                patient_id, known = _patient(below, pattern)
            except ValueError as fault:
                bad.add(str(fault))
                continue
            patients_known = patients_known and known
            # Without a rule, the same file name under two labels is two files, hence two patients.
            place = os.path.relpath(path, root)
            films.append(Film(place, label, patient_id if known else path_text(place)))
        if len(films) == before and not bad.found:
            raise DataError(
                f"{path_text(folder.path)}: expected images labelled {label}, found no images; fill the folder or "
                "remove it"
            )
    bad.raise_if_any()
    return tuple(films), patients_known


def _side(folder: os.DirEntry[bytes]) -> Side | None:
    return SIDE_FOLDERS.get(_name(folder).lower())


def _name(folder: os.DirEntry[bytes]) -> str:
    return path_text(folder.name)


def _label(folder: os.DirEntry[bytes]) -> str:
    try:
        return folder.name.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path_text(folder.path)}: expected a label as the folder's name, found bytes that are not UTF-8"
        ) from error


def _patient(below: bytes, pattern: re.Pattern[str] | None) -> tuple[str, bool]:
    """Return the patient that `below`, a path below the label's folder, names, and whether it really does."""
    text = path_text(below)
    if pattern is not None:
        match = pattern.search(text)
        if match is None or not match.group(1):
            raise ValueError(f"{text}: the patient pattern {pattern.pattern!r} finds no patient in this path")
        return match.group(1), True
    folder, separator, _ = text.partition("/")
    return (folder, True) if separator else (text, False)


def _files(folder: bytes) -> Iterator[bytes]:
    for entry in _visible(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.name not in IGNORED_FILES:
            if not entry.is_file():
                raise DataError(f"{path_text(entry.path)}: expected an image file, found something else")
            yield entry.path


def _visible(folder: bytes) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(b".")), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{path_text(folder)}: cannot be listed: {error.strerror}") from error
