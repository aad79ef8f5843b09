"""Counts what a walk passed over, by kind, and names the directories that it could not look into."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from wetread.store.images.unread_directories import KEPT

UNREADABLE, TOO_DEEP = "unreadable directory", "directory too deep"
LINK, EXCLUDED = "link", "excluded"


@dataclass(slots=True)
class PassedOver:
    """What a walk passes over. kinds: how many, by kind; unread: the first directories not looked into, and why.

    odd_times: files that were given, with a time of change that no database holds.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    unread: dict[bytes, str] = field(default_factory=dict)
    odd_times: int = 0
    _last: bytes | None = None

    def could_not_look(self, directory: bytes, reason: str, kind: str = UNREADABLE) -> None:
        """Note a directory, by its path relative to the root, once however much of it could not be seen."""
        if directory not in self.unread and directory != self._last:
            self._last = directory
            self.kinds[kind] += 1
            if len(self.unread) < KEPT:
                self.unread[directory] = reason

    @property
    def unread_count(self) -> int:
        """Return how many directories were not looked into, named or not."""
        return self.kinds[UNREADABLE] + self.kinds[TOO_DEEP]

    @property
    def says_why_nothing_was_found(self) -> bool:
        """Return whether a root without a film may hold some that were left out, or that could not be seen."""
        return bool(self.unread_count or self.kinds[EXCLUDED] or any(kind.startswith(LINK) for kind in self.kinds))

    def add(self, other: PassedOver) -> None:
        """Count what another walk, of another root, has passed over too."""
        self.kinds += other.kinds
        self.odd_times += other.odd_times

    def note(self) -> str | None:
        """Return what the run's note says of it; None where there is nothing to say."""
        unseen = {kind: count for kind, count in self.kinds.items() if kind in (UNREADABLE, TOO_DEEP)}
        said = []
        if unseen:
            said.append("not looked into: " + ", ".join(f"{count} {kind}" for kind, count in sorted(unseen.items())))
        if self.odd_times:
            files = "1 file has" if self.odd_times == 1 else f"{self.odd_times} files have"
            said.append(f"{files} a time of change before 1677 or after 2262, which is kept as the nearest moment")
        return "; ".join(said) or None
