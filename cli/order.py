"""What a screening is told: which directories, by which model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.films import ACCEPTED, Accepted


@dataclass(frozen=True, slots=True)
class Order:
    """What to screen, by which model (its digest), on which engine. run: exactly that run is to go on.

    shadow_digest: of the model that reads along. accepted: words of DICOM headers that are read anyway.
    """

    directories: Sequence[str]
    model_digest: str
    engine: str
    force: bool
    workers: int
    run: int | None = None
    shadow_digest: str | None = None
    accepted: Accepted = ACCEPTED
