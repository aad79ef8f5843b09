"""Checks a layer's settings, which come from a file."""

from __future__ import annotations

from schemas.errors import ArtefactError


def positive(name: str, value: object) -> int:
    """Return a setting such as filters as an integer of 1 or more; raise ArtefactError when it is not one."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ArtefactError(f"expected {name} to be an integer of 1 or more, found {value!r}")


def pair(name: str, value: object) -> tuple[int, int]:
    """Return a setting such as kernel_size as two integers of 1 or more; raise ArtefactError when it is not two."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return positive(name, value[0]), positive(name, value[1])
    raise ArtefactError(f"expected {name} to be a pair of integers, found {value!r}")


def share(name: str, value: object) -> float:
    """Return a setting such as rate as a number from 0 to below 1; raise ArtefactError when it is not one."""
    if isinstance(value, (int, float)) and 0 <= value < 1:
        return float(value)
    raise ArtefactError(f"expected {name} to be a number from 0 to below 1, found {value!r}")
