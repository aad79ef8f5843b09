"""Deals patients to new splits, stratified by label and source.

Patients are dealt like cards: sorted by stratum (their labels and sources), then by a hash of seed and
patient id, and each goes to the side that is furthest below its share. Every stratum is so shared within
about one patient, and the totals are exact. Several ids of one person (`trainer.audit.people`) are one card.
The hash rather than a random generator makes a split the same on every version of every library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from schemas.errors import DataError
from trainer.data.dataset import Dataset
from trainer.data.side import Side
from trainer.data.splits import Split


def split_patients(dataset: Dataset, *, validation: float, test: float, seed: int) -> Split:
    """Share the people among train, validation and test, all ids of a person on one side.

    validation, test: fractions of the people; train has the rest, and test may be 0.
    Raises DataError when the fractions leave nothing to train on, or when a label is missing from a side.
    """
    shares = {Side.TEST: test, Side.VALIDATION: validation, Side.TRAIN: 1.0 - validation - test}
    if min(shares.values()) < 0 or shares[Side.TRAIN] <= 0 or validation <= 0:
        raise DataError(
            f"expected fractions that leave patients to train and validate on, found {validation} and {test}"
        )
    sides = [side for side in shares if shares[side] > 0]
    dealt = _deal(dataset, dataset.people, [shares[side] for side in sides], seed)
    split = _split(dataset, {person: sides[hand] for person, hand in dealt.items()})
    _check_labels(dataset, split, sides)
    return split


def grouped_folds(dataset: Dataset, folds: int, *, validation: float, seed: int) -> tuple[Split, ...]:
    """Return `folds` splits; each person is on the test side of exactly one, with all their ids.

    validation: the fraction of a fold's other people set aside to stop early and to calibrate.
    """
    if not 2 <= folds <= len(dataset.people):
        raise DataError(f"expected between 2 folds and one a patient ({len(dataset.people)}), found {folds}")
    held_out = _deal(dataset, dataset.people, [1 / folds] * folds, seed)
    splits = []
    for fold in range(folds):
        rest = [person for person in dataset.people if held_out[person] != fold]
        dealt = _deal(dataset, rest, [validation, 1 - validation], seed + 1 + fold)
        sides = {person: Side.TEST for person in dataset.people if held_out[person] == fold}
        sides |= {person: (Side.VALIDATION, Side.TRAIN)[hand] for person, hand in dealt.items()}
        splits.append(_split(dataset, sides))
    return tuple(splits)


def _split(dataset: Dataset, sides: Mapping[str, Side]) -> Split:
    """Return the split of the patient ids that puts each person on their side."""
    return Split({film.patient_id: sides[film.person] for film in dataset.films})


def _deal(dataset: Dataset, people: Iterable[str], shares: Sequence[float], seed: int) -> dict[str, int]:
    """Return the hand, an index into `shares`, of each person."""
    hands: dict[str, int] = {}
    counts = [0] * len(shares)
    for dealt, person in enumerate(sorted(people, key=lambda person: _order(dataset, person, seed)), start=1):
        behind = [share * dealt - count for share, count in zip(shares, counts, strict=True)]
        hands[person] = behind.index(max(behind))
        counts[hands[person]] += 1
    return hands


def _order(dataset: Dataset, person: str, seed: int) -> tuple[str, str, int, bytes]:
    films = [dataset.films[index] for index in dataset.people[person]]
    labels = "+".join(sorted({film.label for film in films}))
    sources = "+".join(sorted({film.source for film in films}))
    key = hashlib.sha256(f"{seed}:{person}".encode(errors="surrogateescape")).digest()
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
