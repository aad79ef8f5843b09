"""The ordered labels of a classifier."""

from __future__ import annotations

import re

from schemas.errors import UsageError

PAPER_LABELS = ("covid", "normal", "pneumonia")
"""The three classes of the paper, in alphabetical order, as a folder per label gives them."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def checked_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return `labels` when they can name a classifier's outputs.

    Raises UsageError when there are fewer than two, when one occurs twice, or when one is not made of
    letters, digits, '_', '.' and '-'.
    """
    if len(labels) < 2:
        raise UsageError(f"expected at least two labels, found {len(labels)}: {', '.join(labels) or 'none'}")
    if len(set(labels)) != len(labels):
        raise UsageError(f"expected each label once, found {', '.join(labels)}")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise UsageError(f"label {label!r}: expected letters, digits, '_', '.' and '-', at most 64")
    return labels
