"""The table of readings sent back to a PACS; `schemas.tables` gives it with the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime


class Delivery(Base):
    """A reading as a report for one peer, once: its UID follows from film, model, decision and values."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("peer", "report_uid"),
        CheckConstraint("state IN ('pending', 'sent', 'committed', 'failed', 'cancelled')", name="state"),
        Index("ix_deliveries_state", "peer", "state", "id"),
        Index("ix_deliveries_film", "peer", "received_id"),
        Index("ix_deliveries_received_id", "received_id"),
        Index("ix_deliveries_prediction_id", "prediction_id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    peer: Mapped[str] = mapped_column(String(64), comment="its name")
    received_id: Mapped[int] = mapped_column(
        ForeignKey("received.id", ondelete="CASCADE"), comment="the film, in a spool"
    )
    prediction_id: Mapped[int] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), comment="the reading, whose values it has"
    )
    report_uid: Mapped[str] = mapped_column(String(64), comment="SOP instance UID of the report")
    predecessor_uid: Mapped[str | None] = mapped_column(String(64), comment="of the report that it takes the place of")
    decision: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), comment="pending, sent, committed, failed or cancelled")
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0", comment="times that it was sent")
    why: Mapped[str | None] = mapped_column(String(200), comment="why it failed or was cancelled")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="when it was committed, failed or cancelled"
    )
