"""Suggests the known name nearest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 20
"""Names that one message lists."""


def nearest(written: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that is most like `written`, upper and lower case being one; None if none is."""
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(written.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def no_such(written: str, known: Iterable[str], there_are: str = "there are") -> str:
    """Return the end of a message: what was found instead of one of `known`, which there are, and the nearest."""
    names = list(known)
    listed = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    meant = nearest(written, names)
    said = f"found {written[:80]!r}; {there_are}: {listed or 'none'}"
    return f"{said}. Did you mean {meant!r}?" if meant is not None else said
