"""The table of readers' reviews; `schemas.tables` gives it with the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime

AGREE, DISAGREE, UNSURE, NOT_A_FILM, WITHDRAWN = "agree", "disagree", "unsure", "not_a_film", "withdrawn"
VERDICTS = (AGREE, DISAGREE, UNSURE, NOT_A_FILM, WITHDRAWN)
"""What a reader can say. withdrawn: that what they said before is to count no more."""

LABELLED = (AGREE, DISAGREE)
"""The verdicts that say a label; what a row of another has there is none."""


class Review(Base):
    """A reader's review of one file's bytes. Rows are added and never changed; a later row supersedes."""

    __tablename__ = "reviews"
    __table_args__ = (Index("ix_reviews_sha256", "sha256"), Index("ix_reviews_reader_id", "reader_id", "id"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), comment="of the film's bytes")
    model_digest: Mapped[str | None] = mapped_column(String(64), comment="of the reading that was looked at")
    decision_digest: Mapped[str | None] = mapped_column(String(64))
    model_label: Mapped[str | None] = mapped_column(String(64), comment="its most probable label, then")
    model_decision: Mapped[str | None] = mapped_column(String(64), comment="its decision, then")
    model_probability: Mapped[float | None] = mapped_column(Float)
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    verdict: Mapped[str] = mapped_column(String(16), comment="agree, disagree, unsure, not_a_film or withdrawn")
    label: Mapped[str | None] = mapped_column(String(64), comment="what the reader sees, where they said")
    comment: Mapped[str] = mapped_column(Text)
    blinded: Mapped[bool] = mapped_column(comment="it was said before the model's answer was shown")
    seconds: Mapped[float] = mapped_column(Float, comment="that the film was looked at")
    supersedes: Mapped[int | None] = mapped_column(BigInteger, comment="the review of the same reader and bytes before")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    previous_hash: Mapped[str] = mapped_column(String(64), comment="row_hash of the row before; zeros of the first")
    row_hash: Mapped[str] = mapped_column(
        String(64), unique=True, comment="SHA-256 of the row, as wetread/store/reviews/chain.py has it"
    )
