"""How far a model's maps are to be trusted, as `wetread explain check` found it last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.tables import MapCheck


@dataclass(frozen=True, slots=True)
class KeptMapCheck:
    """What was found of one method. refused: why its maps are not shown; None where they are. figures: as JSON."""

    method: str
    films: int
    refused: str | None
    figures: Mapping[str, Any]
    checked_at: datetime


def keep_map_check(session: Session, model_digest: str, check: KeptMapCheck) -> None:
    """Record what was found of a method's maps of a model."""
    session.add(
        MapCheck(
            model_digest=model_digest, method=check.method, films=check.films, refused=check.refused,
            figures=dict(check.figures), checked_at=check.checked_at,
        )
    )  # fmt: skip


def latest_map_checks(session: Session, model_digest: str) -> dict[str, KeptMapCheck]:
    """Return what was found last of each method that was checked for this model."""
    rows = session.scalars(select(MapCheck).where(MapCheck.model_digest == model_digest).order_by(MapCheck.id))
    return {
        row.method: KeptMapCheck(row.method, row.films, row.refused, row.figures, row.checked_at) for row in rows
    }  # fmt: skip
