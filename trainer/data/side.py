"""The sides of a split."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """What a patient's films are for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
