"""The tables of evaluations, and of which model each alias meant when, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime


class ModelAlias(Base):
    """A name that moves between versions, such as production."""

    __tablename__ = "model_aliases"
    alias: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_digest: Mapped[str] = mapped_column(ForeignKey("models.digest"))


class AliasChange(Base):
    """Every move of an alias, so that it can be rolled back and explained."""

    __tablename__ = "alias_changes"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alias: Mapped[str] = mapped_column(String(64), index=True)
    model_digest: Mapped[str] = mapped_column(String(64))
    previous_digest: Mapped[str | None] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_audit: Mapped[str | None] = mapped_column(
        Text, comment="why the model was taken although the audit of its data found that unsafe"
    )
    accepted_evaluation: Mapped[str | None] = mapped_column(
        Text, comment="why the model was taken although no evaluation speaks for it, or one against it"
    )
    rolled_back: Mapped[bool] = mapped_column(
        default=False, server_default=false(), comment="the move took the last promotion back"
    )


class Evaluation(Base):
    """What `wetread evaluate --output` measured of one model, or of one against another on the same films."""

    __tablename__ = "evaluations"
    __table_args__ = (Index("ix_evaluations_model", "model_digest", "against_digest"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_digest: Mapped[str] = mapped_column(String(64))
    against_digest: Mapped[str | None] = mapped_column(String(64), comment="the other model, if there was one")
    data_digest: Mapped[str] = mapped_column(String(64), comment="of the films and their labels")
    side: Mapped[str | None] = mapped_column(String(16), comment="of the split: train, validation or test")
    learned_from: Mapped[bool] = mapped_column(comment="the model, or the other, was trained or chosen on these films")
    films: Mapped[int] = mapped_column(Integer)
    patients: Mapped[int] = mapped_column(Integer)
    figures: Mapped[dict[str, Any]] = mapped_column(
        JSON, comment="figure: value, low, high; against another model the differences, with paired intervals"
    )
    evaluated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MapCheck(Base):
    """What `wetread explain check` found of one method's maps of one model; the latest counts."""

    __tablename__ = "map_checks"
    __table_args__ = (Index("ix_map_checks_model", "model_digest", "method"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_digest: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(16), comment="additive, occlusion or integrated")
    films: Mapped[int] = mapped_column(Integer)
    refused: Mapped[str | None] = mapped_column(Text, comment="why its maps are not shown; empty where they are")
    figures: Mapped[dict[str, Any]] = mapped_column(JSON, comment="as wetread/views/map_checks.py shows them")
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
