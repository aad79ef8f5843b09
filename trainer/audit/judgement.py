"""Turns the audit's measurements into findings: the rules, and the thresholds with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from trainer.audit.copies import Copy
from trainer.audit.findings import Finding, Severity
from trainer.audit.shortcuts import THUMBNAIL, Shortcut
from trainer.audit.sides import Sides
from trainer.data.dataset import Dataset

UNSAFE_ABOVE = 0.9
"""AUROC whose 95% interval lies above this without the lungs is unsafe.

Honest readings of chest films reach 0.7 to 0.9 (CheXNet for pneumonia 0.77: Rajpurkar et al. 2017; models for
covid on another hospital's films 0.70 to 0.76: DeGrave et al. 2021). Above, nothing that a network sees in
the lungs can show beneath what it gets for nothing.
"""
SUSPECT_ABOVE = 0.75
"""The same, for a warning: as good as an honest reading may be. Of 400 sets of pure noise with 20 patients a label, one
passed it, of 400 with 10 patients eleven; none of either passed 0.9."""
THUMBNAIL_UNSAFE_ABOVE = 0.97
"""For the 16 x 16 thumbnail, which holds the lungs: opacities of both lungs show in it, and on phantoms without any
shortcut it reaches 0.94. So it alone is no finding, until it is easier than films of sick people can be."""

WHAT = {
    "source": "the source",
    "view": "the view",
    "size": "the size",
    "format": "the file's kind and compression",
    "border": "the border",
    THUMBNAIL: "a thumbnail of 16 x 16",
}
"""A shortcut's kind as people say it."""


def findings_of(
    dataset: Dataset, sides: Sides | None, copies: Sequence[Copy], shortcuts: Sequence[Shortcut]
) -> tuple[Finding, ...]:
    """Return the findings, the unsafe ones first. sides: None where there is no split yet."""
    found = [
        *(() if sides is None else _patients_on_two_sides(dataset, sides)),
        *_copies(dataset, sides, copies),
        *_shortcuts(shortcuts),
        *_unknown_patients(dataset),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.UNSAFE))


def _patients_on_two_sides(dataset: Dataset, sides: Sides) -> Iterator[Finding]:
    cases = []
    for patient, numbers in dataset.patients.items():
        on = frozenset[Any]().union(*(sides[number] for number in numbers))
        if len(on) > 1:
            films = [dataset.films[number].name for number in numbers]
            cases.append({"patient": patient, "sides": sorted(on), "films": films})
    if cases:
        yield Finding(
            "patient_on_two_sides",
            Severity.UNSAFE,
            f"{_count(cases, 'patient has', 'patients have')} films on more than one side of the split: a model is "
            "tested on people it learned from",
            tuple(cases),
        )


def _copies(dataset: Dataset, sides: Sides | None, copies: Iterable[Copy]) -> Iterator[Finding]:
    """Yield one finding for each kind of harm; a pair is counted for the worst it does to a split, and for labels."""
    cases: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _COPIES}
    for copy in copies:
        one, other = dataset.films[copy.one], dataset.films[copy.other]
        case: dict[str, Any] = {
            "films": [one.name, other.name],
            "patients": [one.patient_id, other.patient_id],
            "labels": [one.label, other.label],
            "identical": copy.identical,
            "likeness": round(copy.likeness, 3),
        }
        if sides is not None:
            case["sides"] = [sorted(sides[copy.one]), sorted(sides[copy.other])]
        if one.label != other.label:
            cases["copy_with_two_labels"].append(case)
        if sides is not None and len(sides[copy.one] | sides[copy.other]) > 1:
            cases["copy_on_two_sides"].append(case)
        elif one.patient_id != other.patient_id:
            cases["copy_of_two_patients" if sides is None else "copy_of_two_patients_on_one_side"].append(case)
        elif one.label == other.label:
            cases["copy_within_patient"].append(case)
    for kind, found in cases.items():
        if found:
            severity, sentence = _COPIES[kind]
            yield Finding(kind, severity, sentence(f"{_count(found, 'pair', 'pairs')} of films"), tuple(found))


_COPIES: dict[str, tuple[Severity, Callable[[str], str]]] = {
    "copy_on_two_sides": (
        Severity.UNSAFE,
        "{}: one image on two sides of the split; a model is tested on what it learned".format,
    ),
    "copy_with_two_labels": (Severity.UNSAFE, "{}: one image with two labels".format),
    "copy_of_two_patients": (
        Severity.UNSAFE,
        "{}: one image under two patients; no split by patient id is sure to keep it on one side".format,
    ),
    "copy_of_two_patients_on_one_side": (
        Severity.WARNING,
        "{}: one image under two patients, on one side of this split".format,
    ),
    "copy_within_patient": (Severity.WARNING, "{}: one file twice; it counts double".format),
}
"""Kind -> severity, and the sentence for so many pairs."""


def _shortcuts(shortcuts: Iterable[Shortcut]) -> Iterator[Finding]:
    by_kind: dict[str, list[Shortcut]] = {}
    for shortcut in shortcuts:
        by_kind.setdefault(shortcut.kind, []).append(shortcut)
    for kind, found in by_kind.items():
        limit = THUMBNAIL_UNSAFE_ABOVE if kind == THUMBNAIL else UNSAFE_ABOVE
        unsafe = [shortcut for shortcut in found if shortcut.auroc.low > limit]
        suspect = [shortcut for shortcut in found if limit >= shortcut.auroc.low > SUSPECT_ABOVE]
        for severity, given_away in ((Severity.UNSAFE, unsafe), (Severity.WARNING, suspect)):
            if given_away and not (kind == THUMBNAIL and severity is Severity.WARNING):
                labels = ", ".join(f"{shortcut.label} with AUROC {shortcut.auroc}" for shortcut in given_away)
                yield Finding(f"shortcut_{kind}", severity, f"{WHAT[kind]} alone predicts {labels}")


def _unknown_patients(dataset: Dataset) -> Iterator[Finding]:
    if not dataset.patients_known:
        yield Finding(
            "patients_unknown",
            Severity.WARNING,
            "the data names no patients: each file is taken for one, so nobody can say whether a person is on two "
            "sides, and intervals are too narrow",
        )


def _count(found: Sequence[object], one: str, many: str) -> str:
    return f"{len(found)} {one if len(found) == 1 else many}"
