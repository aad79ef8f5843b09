"""The anatomy of one phantom patient: what stays the same between their films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RIGHT, LEFT = -1.0, 1.0
"""Sides of the patient, as signs of u."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What stays the same between films of one patient; lengths in units of the film's height."""

    chest: float
    lung_top: float
    lung_base: float
    heart: float
    heart_tilt: float
    rib_drop: float
    rib_pairs: int
    clavicle: float
    breast: float
    vessels_seed: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Anatomy:
        """Return a patient's anatomy drawn by `rng`."""
        return cls(
            chest=rng.uniform(0.33, 0.39),
            lung_top=rng.uniform(0.10, 0.16),
            lung_base=rng.uniform(0.72, 0.82),
            heart=rng.uniform(0.115, 0.15),
            heart_tilt=rng.uniform(25, 45),
            rib_drop=rng.uniform(0.10, 0.18),
            rib_pairs=int(rng.integers(9, 11)),
            clavicle=rng.uniform(-0.02, 0.02),
            breast=rng.uniform(0.3, 1.0) if rng.random() < 0.45 else 0.0,
            vessels_seed=int(rng.integers(2**32)),
        )
