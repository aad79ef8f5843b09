"""Finds films that are one film: byte for byte, or the same exposure stored again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainer.audit.alignment import likeness
from trainer.audit.film_features import Look
from trainer.audit.spectra import proposals
from trainer.data.film import Film

LEAST_LIKENESS = 0.87
"""From this likeness on, two films are one exposure.

Measured on 1,240 real films: 99.5% of 2,400 copies, recompressed, reduced, shifted, cropped, stretched, turned
by 2 degrees or equalised, are above 0.89; two exposures of one patient reach 0.78 (846 pairs), and films of
different patients 0.47 (the 3,133 most similar pairs); phantoms of different patients, drawn from the same
few shapes, reach 0.84 (3,216 pairs). docs/audit.md has more.
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """Two films, by number, that are one; likeness is 1 where their bytes are the same."""

    one: int
    other: int
    likeness: float
    identical: bool


def find_copies(films: Sequence[Film], looks: Sequence[Look]) -> list[Copy]:
    """Return the pairs of films that are one.

    Identical bytes are found among all films; each further file is paired with the one before it. Other
    copies are looked for where they would do harm: between films of different patients, or of different
    labels. Several of one patient and label stay together in any split.
    """
    copies = _identical(looks)
    known = {(copy.one, copy.other) for copy in copies}
    _, groups = np.unique([f"{film.label}\0{film.patient_id}" for film in films], return_inverse=True)
    for pair in proposals(np.stack([look.spectra for look in looks]), groups.astype(np.int64)):
        one, other = looks[pair.one], looks[pair.other]
        if one.sha256 == other.sha256 or (pair.one, pair.other) in known:
            continue
        found = likeness(one.square, other.square, pair.fit)
        if found >= LEAST_LIKENESS:
            copies.append(Copy(pair.one, pair.other, found, identical=False))
    return sorted(copies, key=lambda copy: (copy.one, copy.other))


def _identical(looks: Sequence[Look]) -> list[Copy]:
    same: dict[str, list[int]] = defaultdict(list)
    for number, look in enumerate(looks):
        same[look.sha256].append(number)
    return [Copy(*pair, 1.0, identical=True) for numbers in same.values() for pair in pairwise(numbers)]
