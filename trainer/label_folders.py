"""Films in a folder per label, and the rules by which their patients are told apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from schemas.errors import DataError
from trainer.film import Film, path_text

IGNORED_FILES = frozenset({b"Thumbs.db", b"desktop.ini"})
"""Files that desktops leave in folders of images; hidden files are ignored too."""


def folder_films(root: bytes, patient_pattern: str | None) -> tuple[tuple[Film, ...], bool]:
    """Return the films under `root`, and whether their patients are known.

    patient_pattern: a regular expression with one group, searched in each path below its label's folder.
    Raises DataError naming the file in which no patient is found, or that is no file, and the label's folder
    that has none.
    """
    pattern = _compiled(patient_pattern)
    films: list[Film] = []
    patients_known = True
    for folder in _visible(root):
        if not folder.is_dir():
            continue
        label, before = _label(folder), len(films)
        for path in _files(folder.path):
            below = os.path.relpath(path, folder.path)
            patient_id, known = _patient(below, pattern)
            patients_known = patients_known and known
            # Without a rule, the same file name under two labels is two files, hence two patients.
            films.append(Film(os.path.relpath(path, root), label, patient_id if known else f"{label}/{patient_id}"))
        if len(films) == before:
            raise DataError(
                f"{path_text(folder.path)}: expected images labelled {label}, found no images; fill the folder or "
                "remove it"
            )
    return tuple(films), patients_known


def _label(folder: os.DirEntry[bytes]) -> str:
    try:
        return folder.name.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path_text(folder.path)}: expected a label as the folder's name, found bytes that are not UTF-8"
        ) from error


def _compiled(patient_pattern: str | None) -> re.Pattern[str] | None:
    if patient_pattern is None:
        return None
    try:
        pattern = re.compile(patient_pattern)
    except re.error as error:
        raise DataError(f"patient pattern {patient_pattern!r}: not a regular expression: {error}") from error
    if pattern.groups != 1:
        raise DataError(f"patient pattern {patient_pattern!r}: expected one group, found {pattern.groups}")
    return pattern


def _patient(below: bytes, pattern: re.Pattern[str] | None) -> tuple[str, bool]:
    """Return the patient that `below`, a path below the label's folder, names, and whether it really does."""
    text = path_text(below)
    if pattern is not None:
        match = pattern.search(text)
        if match is None or not match.group(1):
            raise DataError(f"{text}: the patient pattern {pattern.pattern!r} finds no patient in this path")
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
