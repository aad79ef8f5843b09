"""The kinds of alarm of a run or a night, and the limits that raise them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_FAILED = 0.5
"""The share of the found images that may fail, unless a command is told another. An archive may hold texts, thumbnails
and files that were cut short; where more than half fails, the directory or the machine is wrong."""


class AlarmKind(StrEnum):
    """What an alarm is about. A program may rely on these words."""

    ROOT_NOT_REACHED = "root_not_reached"
    NOT_LOADED = "engine_or_model_not_loaded"
    RUN_PAUSED = "run_paused"
    RUN_INTERRUPTED = "run_interrupted"
    RUN_FAILED = "run_failed"
    DIRECTORIES_NOT_READ = "directories_not_read"
    NOTHING_FOUND = "nothing_found"
    NOTHING_READ = "nothing_read"
    LINKS_ALONE = "links_alone"
    FILMS_DEAD = "films_dead"
    FAILURE_RATE = "failure_rate"
    DRIFT = "drift"
    AGREEMENT = "agreement"
    RECEIVED_CONFLICT = "received_conflict"
    NIGHT_MISSED = "night_missed"
    NIGHT_FAILED = "night_failed"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to look into. message: a sentence for people; details: its figures, as JSON holds them."""

    kind: AlarmKind
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the object that every `--json` shows under `alarms`."""
        return {"kind": str(self.kind), "message": self.message, "details": dict(self.details)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Alarm:
        """Return the alarm in `body`, which `to_json` made."""
        return cls(AlarmKind(body["kind"]), str(body["message"]), dict(body.get("details", {})))
