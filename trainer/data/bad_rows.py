"""Collects the faults of a table's rows, to report them all at once."""

from __future__ import annotations

from schemas.errors import DataError

SHOWN = 20
"""Rows that a message names; it says how many more there are."""


class BadRows:
    """Collects the faults of a table's rows, or of the films that it lists. what: their name, in the plural."""

    def __init__(self, what: str = "rows") -> None:
        self._what = what
        self._said: list[str] = []
        self._count = 0

    @property
    def found(self) -> bool:
        """Whether there was a fault."""
        return self._count > 0

    def add(self, fault: str) -> None:
        """Note the fault of one row; it names the row."""
        self._count += 1
        if len(self._said) < SHOWN:
            self._said.append(fault)

    def raise_if_any(self) -> None:
        """Raise DataError with a line for each bad row, if there was one."""
        if not self._count:
            return
        if self._count == 1:
            raise DataError(self._said[0])
        more = self._count - len(self._said)
        lines = [f"{self._count} {self._what} cannot be used:", *self._said, *([f"and {more} more"] if more else [])]
        raise DataError("\n  ".join(lines))
