"""How well a segmenter agrees with masks: the Dice coefficient, film by film and by what the films show.

Dice 1945: 2 |A and B| / (|A| + |B|), of the pixels above 1/2; 1 where both are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.field.training import MaskedFilms
from trainer.statistics.intervals import REPLICATES
from wetread.models.field_network import FieldFinder

WORST = 20
"""Films that are named to be looked at."""


def dice_of(finder: FieldFinder, films: MaskedFilms) -> npt.NDArray[np.float64]:
    """Return the coefficient of each film, (n,)."""
    found = np.stack([finder(film) for film in films.films]) > 0.5
    wanted = films.masks > 127
    both = (found & wanted).sum(axis=(1, 2))
    size = found.sum(axis=(1, 2)) + wanted.sum(axis=(1, 2))
    return np.where(size == 0, 1.0, 2 * both / np.maximum(size, 1))


def agreement(
    dice: npt.NDArray[np.float64], names: Sequence[str], patients: Sequence[str], kinds: Sequence[str]
) -> dict[str, Any]:
    """Return the mean coefficient with its interval, of all films and of each kind, and the worst films."""
    parts = {kind: np.array([other == kind for other in kinds]) for kind in sorted(set(kinds))}
    order = np.argsort(dice)[:WORST]
    return {
        **_mean(dice, patients),
        "kinds": {
            kind: _mean(dice[part], [patient for patient, inside in zip(patients, part, strict=True) if inside])
            for kind, part in parts.items()
        },
        "worst": [{"film": names[index], "dice": round(float(dice[index]), 4)} for index in order],
    }


def _mean(dice: npt.NDArray[np.float64], patients: Sequence[str]) -> dict[str, Any]:
    """Return n, patients, and the mean with its 95% interval: a bootstrap over patients, all films of one together."""
    people = sorted(set(patients))
    number = {patient: place for place, patient in enumerate(people)}
    owner = np.array([number[patient] for patient in patients])
    sums, counts = np.bincount(owner, dice, len(people)), np.bincount(owner, minlength=len(people))
    draws = np.random.default_rng(0).integers(0, len(people), (REPLICATES, len(people)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "n": len(dice),
        "patients": len(people),
        "dice": {"value": float(dice.mean()), "low": float(low), "high": float(high)},
        "median": float(np.median(dice)),
    }
