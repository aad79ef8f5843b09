"""The regular expression that finds a patient in a path."""

from __future__ import annotations

import re

from schemas.errors import DataError


def compiled(patient_pattern: str | None) -> re.Pattern[str] | None:
    """Return the pattern, or None. Raises DataError unless the pattern has exactly one group."""
    if patient_pattern is None:
        return None
    try:
        pattern = re.compile(patient_pattern)
    except re.error as error:
        raise DataError(f"patient pattern {patient_pattern!r}: not a regular expression: {error}") from error
    if pattern.groups != 1:
        raise DataError(f"patient pattern {patient_pattern!r}: expected one group, found {pattern.groups}")
    return pattern
