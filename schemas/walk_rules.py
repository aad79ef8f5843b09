"""The rules of a walk: which files it excludes and which links it follows; kept with a run or a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WalkRules:
    """How the roots of a run are walked.

    exclude: patterns as gitignore has them, in their order; what matches is not looked into. follow_links: links are
    followed whose targets lie under a root of the run or under one of `allow`, absolute paths without links as text
    (os.fsdecode).
    """

    exclude: tuple[str, ...] = ()
    follow_links: bool = False
    allow: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any] | None:
        """Return the rules as the database stores them; None for the default rules."""
        if self == WalkRules():
            return None
        # JSON of PostgreSQL takes no lone surrogates, which stand for bytes that are not UTF-8.
        allow = [path.encode("utf-8", "surrogateescape").hex() for path in self.allow]
        return {"exclude": list(self.exclude), "follow_links": self.follow_links, "allow": allow}

    @classmethod
    def from_json(cls, body: Mapping[str, Any] | None) -> WalkRules:
        """Return the rules in `body`, which `to_json` made."""
        if body is None:
            return cls()
        allow = tuple(bytes.fromhex(path).decode("utf-8", "surrogateescape") for path in body["allow"])
        return cls(tuple(body["exclude"]), bool(body["follow_links"]), allow)


USUAL_WALK = WalkRules()
"""Everything is looked into, and no link is followed."""
