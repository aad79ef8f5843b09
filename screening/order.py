"""The settings of a screening."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.films import ACCEPTED, Accepted
from schemas.walk_rules import USUAL_WALK, WalkRules
from wetread.store.runs.accounts import RunAccount

Look = Callable[[RunAccount], None]


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What to screen, by which model (its digest), on which engine. run: exactly that run is to go on.

    shadow_digest: of the model that reads along. rules: how the directories are walked; of `run`, its own.
    accepted: words of DICOM headers that are read although they name something else.
    """

    directories: Sequence[str]
    model_digest: str
    engine: str
    force: bool
    workers: int
    run: int | None = None
    shadow_digest: str | None = None
    rules: WalkRules = USUAL_WALK
    accepted: Accepted = ACCEPTED
