"""Finds a manifest's columns of path, label and patient: as named by options, or by their usual names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import DataError
from trainer.data.layout import DataLayout

USUAL = {
    "path": ("path", "image index", "image_path", "filename", "file", "image"),
    "label": ("label", "finding labels", "class"),
    "patient": ("patient_id", "patient id", "patientid", "subject_id"),
}
"""Names under which public collections have them, in lower case: wetread's own first, then NIH's and CheXpert's."""

MASK = "mask"
"""The column of the masks of the lungs, where there is one."""

OPTIONS = {"path": "--path-column", "label": "--label-column", "patient": "--patient-column"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The index of each column; names: of all. patient: None where a pattern finds the patient in the path.

    mask: None where no column has that name.
    """

    names: tuple[str, ...]
    path: int
    label: int
    patient: int | None
    mask: int | None
    others: dict[int, str]


def columns_of(where: str, header: Sequence[str], layout: DataLayout) -> Columns:
    """Return the columns of a manifest with this header; raise DataError naming a missing column."""
    names = [name.strip() for name in header]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise DataError(f"{where}: expected each column once, found {twice[0]!r} twice; rename one")
    path = _index(where, names, "path", layout.path_column)
    label = _index(where, names, "label", layout.label_column)
    patient = None
    if layout.patient_pattern is None or layout.patient_column is not None:
        patient = _index(where, names, "patient", layout.patient_column)
    lower = [name.lower() for name in names]
    mask = lower.index(MASK) if MASK in lower else None
    taken = {path, label, patient, mask}
    return Columns(
        tuple(names),
        path,
        label,
        patient,
        mask,
        {index: name for index, name in enumerate(names) if index not in taken},
    )


def _index(where: str, names: Sequence[str], what: str, named: str | None) -> int:
    found = ", ".join(names) or "no header"
    if named is not None:
        if named not in names:
            raise DataError(f"{where}: expected the column {named!r} ({OPTIONS[what]}), found {found}")
        return names.index(named)
    lower = [name.lower() for name in names]
    for usual in USUAL[what]:
        if usual in lower:
            return lower.index(usual)
    also = ", or find the patient in the path with --patient-pattern" if what == "patient" else ""
    raise DataError(
        f"{where}: column {USUAL[what][0]!r} is missing, found {found}; name the {what}'s column with {OPTIONS[what]}"
        f"{also}"
    )
