"""The tables of a run's counts and notes; `schemas.tables` gives them with the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Float, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, UtcDateTime


class RunTally(Base):
    """Counters of a run by label and by reason, kept as its images settle."""

    __tablename__ = "run_tallies"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True, comment="label, uncertain, rejected or dead")
    name: Mapped[str] = mapped_column(String(64), primary_key=True, comment="the label or the reason")
    count: Mapped[int] = mapped_column(BigInteger)


class RunStage(Base):
    """Where the time of a run's workers went."""

    __tablename__ = "run_stages"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(16), primary_key=True, comment="as worker/stages.py names them")
    seconds: Mapped[float] = mapped_column(Float, comment="summed over all processes")


class UnreadDirectory(Base):
    """A directory that the last walk of its root could not look into; looked_into_at once one could."""

    __tablename__ = "unread_directories"
    __table_args__ = (
        Index(
            "ix_unread_directories_root",
            "root_id",
            sqlite_where=text("looked_into_at IS NULL"),
            postgresql_where=text("looked_into_at IS NULL"),
        ),
    )
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"), primary_key=True)
    path_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, comment="SHA-256 of path")
    path: Mapped[bytes] = mapped_column(LargeBinary, comment="relative to the root, as bytes; may hold a name")
    reason: Mapped[str] = mapped_column(String(200), comment="what the file system said")
    run_id: Mapped[int] = mapped_column(BigInteger, comment="the run that met it last")
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_into_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NumberGiven(Base):
    """The highest number that was ever given, where the database would give those of deleted rows again."""

    __tablename__ = "numbers_given"
    name: Mapped[str] = mapped_column(String(32), primary_key=True, comment="the table")
    highest: Mapped[int] = mapped_column(BigInteger)
