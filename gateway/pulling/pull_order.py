"""What a pull is told: whose films, of which days, how, and at what pace."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

from gateway.receiving.dimse import is_uid
from gateway.receiving.readiness import Watermark
from schemas.errors import UsageError

Via = Literal["auto", "wado", "get", "move"]
MODALITIES = ("CR", "DX")
MOST_DAYS = 36_525


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which studies: from `since` to `until` (None: today), or of the last `days`, or one by its UID or its number."""

    since: date | None = None
    until: date | None = None
    days: int | None = None
    study_uid: str | None = None
    accession: str | None = None
    modalities: tuple[str, ...] = MODALITIES

    def checked(self) -> Wanted:
        """Return it in one form; raise UsageError where it says nothing, too much, or what cannot be."""
        modalities = tuple(sorted({one.strip().upper() for one in self.modalities if one.strip()}))
        if not modalities or not all(one.isalnum() and len(one) <= 16 for one in modalities):
            raise UsageError(f"expected modalities such as CR,DX, found {','.join(self.modalities)!r}")
        named = [self.since is not None, self.days is not None, self.study_uid is not None, self.accession is not None]
        if sum(named) != 1:
            raise UsageError("expected one of --since, --last-days, --study and --accession, found none or several")
        if self.until is not None and self.since is None:
            raise UsageError("expected --since beside --until, found none")
        if self.study_uid is not None and not is_uid(self.study_uid):
            raise UsageError("expected a study's UID of digits and dots, found another text in --study")
        if self.accession is not None and (not self.accession.isprintable() or set(self.accession) & set("*?\\")):
            raise UsageError("expected one accession number, found a pattern or several in --accession")
        if self.since is not None and not 0 <= (self.last_day(date.today()) - self.since).days < MOST_DAYS:  # noqa: DTZ011 - the PACS's days are local
            raise UsageError("expected --since before --until, within 100 years; found otherwise")
        return replace(self, modalities=modalities)

    def first_day(self, today: date) -> date | None:
        """Return the first study date; None where a study is named."""
        return self.since if self.days is None else today - timedelta(days=self.days - 1)

    def last_day(self, today: date) -> date:
        """Return the last study date."""
        return self.until or today

    @property
    def is_closed(self) -> bool:
        """Return whether all that is wanted lies in days that are over: what was asked for need not be asked again."""
        return self.until is not None

    @property
    def digest(self) -> str:
        """Return what tells this wish from others; an accession number is not to be read from it."""
        told = {
            "since": _text(self.since), "until": _text(self.until), "days": self.days, "study": self.study_uid,
            "accession": self.accession, "modalities": self.modalities,
        }  # fmt: skip
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PullOrder:
    """A pull of `peer`. pace: films a minute at most; None for no limit. connections: at once.

    title: by which we call, and which C-MOVE sends to. silent: seconds that the peer may say nothing.
    """

    peer: str
    wanted: Wanted
    via: Via = "auto"
    pace: float | None = None
    connections: int = 2
    title: str = "WETREAD"
    silent: float = 60.0
    watermark: Watermark = field(default_factory=Watermark)

    def to_json(self) -> dict[str, Any]:
        """Return what a schedule keeps of it."""
        return {
            "peer": self.peer, "days": self.wanted.days, "modalities": list(self.wanted.modalities), "via": self.via,
            "pace": self.pace, "connections": self.connections, "title": self.title,
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> PullOrder:
        """Return the order that a schedule keeps."""
        wanted = Wanted(days=kept["days"], modalities=tuple(kept["modalities"]))
        return cls(kept["peer"], wanted, kept["via"], kept["pace"], kept["connections"], kept["title"])


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
