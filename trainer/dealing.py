"""New splits by patient, stratified by label and source.

Patients are dealt like cards: sorted by stratum (their labels and sources), then by a hash of seed and
patient id, and each goes to the side that is furthest below its share. Every stratum is so shared within
about one patient, and the totals are exact. The hash rather than a random generator makes a split the
same on every version of every library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from schemas.errors import DataError
from trainer.dataset import Dataset
from trainer.splits import Side, Split


def split_patients(dataset: Dataset, *, validation: float, test: float, seed: int) -> Split:
    """Share the patients among train, validation and test.

    validation, test: fractions of the patients; train has the rest, and test may be 0.
    Raises DataError when the fractions leave nothing to train on, or when a label is missing from a side.
    """
    shares = {Side.TEST: test, Side.VALIDATION: validation, Side.TRAIN: 1.0 - validation - test}
    if min(shares.values()) < 0 or shares[Side.TRAIN] <= 0 or validation <= 0:
        raise DataError(
            f"expected fractions that leave patients to train and validate on, found {validation} and {test}"
        )
    sides = [side for side in shares if shares[side] > 0]
    dealt = _deal(dataset, dataset.patients, [shares[side] for side in sides], seed)
    split = Split({patient: sides[hand] for patient, hand in dealt.items()})
    _check_labels(dataset, split, sides)
    return split


def grouped_folds(
    dataset: Dataset, folds: int, *, validation: float, seed: int, among: Sequence[str] | None = None
) -> tuple[Split, ...]:
    """Return `folds` splits; each patient is on the test side of exactly one.

    validation: the fraction of a fold's other patients set aside to stop early and to calibrate.
    among: the patients to use, all by default; the others are on no side.
    """
    patients = tuple(dataset.patients if among is None else among)
    if not 2 <= folds <= len(patients):
        raise DataError(f"expected between 2 folds and one a patient ({len(patients)}), found {folds}")
    held_out = _deal(dataset, patients, [1 / folds] * folds, seed)
    splits = []
    for fold in range(folds):
        rest = [patient for patient in patients if held_out[patient] != fold]
        dealt = _deal(dataset, rest, [validation, 1 - validation], seed + 1 + fold)
        sides = {patient: Side.TEST for patient in patients if held_out[patient] == fold}
        sides |= {patient: (Side.VALIDATION, Side.TRAIN)[hand] for patient, hand in dealt.items()}
        splits.append(Split(sides))
    return tuple(splits)


def _deal(dataset: Dataset, patients: Iterable[str], shares: Sequence[float], seed: int) -> dict[str, int]:
    """Return the hand, an index into `shares`, of each patient."""
    hands: dict[str, int] = {}
    counts = [0] * len(shares)
    for dealt, patient in enumerate(sorted(patients, key=lambda patient: _order(dataset, patient, seed)), start=1):
        behind = [share * dealt - count for share, count in zip(shares, counts, strict=True)]
        hands[patient] = behind.index(max(behind))
        counts[hands[patient]] += 1
    return hands


def _order(dataset: Dataset, patient: str, seed: int) -> tuple[str, str, int, bytes]:
    films = [dataset.films[index] for index in dataset.patients[patient]]
    labels = "+".join(sorted({film.label for film in films}))
    sources = "+".join(sorted({film.source for film in films}))
    key = hashlib.sha256(f"{seed}:{patient}".encode(errors="surrogateescape")).digest()
    # Patients with one, two and more films are dealt apart, so that the films are shared as evenly.
    return labels, sources, min(len(films), 3), key


def _check_labels(dataset: Dataset, split: Split, sides: Sequence[Side]) -> None:
    for side in sides:
        present = {dataset.films[index].label for index in split.indices(dataset, side)}
        if missing := [label for label in dataset.labels if label not in present]:
            patients = {film.patient_id for film in dataset.films if film.label == missing[0]}
            raise DataError(
                f"label {missing[0]!r} has {len(patients)} patients, too few to have some on the side "
                f"{side.value!r}: add patients, or set a larger share aside"
            )
