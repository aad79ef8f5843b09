"""The tables of films fetched from a PACS; `schemas.tables` gives them with the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime

IS_UNFINISHED = "state <> 'finished'"
"""The rows of an index: a wish has one pull at a time that is to go on."""


class Pull(Base):
    """What was wanted of a peer, counted: asked = pending + received + failed + gone + not_wanted at every moment."""

    __tablename__ = "pulls"
    __table_args__ = (
        CheckConstraint("asked = pending + received + failed + gone + not_wanted", name="accounts"),
        Index(
            "uq_pulls_wish",
            "peer",
            "wish",
            unique=True,
            sqlite_where=text(IS_UNFINISHED),
            postgresql_where=text(IS_UNFINISHED),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    peer: Mapped[str] = mapped_column(String(64), comment="its name, as it was then")
    wish: Mapped[str] = mapped_column(String(64), comment="SHA-256 of what was asked for")
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"), comment="the films' directory of the spool")
    since: Mapped[str | None] = mapped_column(String(10), comment="the first study date, YYYY-MM-DD")
    until: Mapped[str | None] = mapped_column(String(10), comment="the last study date")
    modalities: Mapped[str] = mapped_column(String(200), comment="parted by commas")
    via: Mapped[str] = mapped_column(String(8), comment="wado, get or move")
    state: Mapped[str] = mapped_column(String(16), comment="asking, fetching, incomplete or finished")
    note: Mapped[str | None] = mapped_column(Text, comment="why it is incomplete")
    asked: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", comment="instances of its studies")
    pending: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", comment="of these, not tried yet")
    received: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", comment="of these, in the spool")
    failed: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", comment="of these, tried in vain")
    gone: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default="0", comment="of these, the peer has them no more"
    )
    not_wanted: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", comment="of these, no films")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="when it was finished")


class PullStudy(Base):
    """A study of a pull: how many instances the peer says that it has, and how many it named."""

    __tablename__ = "pull_studies"
    __table_args__ = (UniqueConstraint("pull_id", "study_uid"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pull_id: Mapped[int] = mapped_column(ForeignKey("pulls.id", ondelete="CASCADE"))
    study_uid: Mapped[str] = mapped_column(String(64))
    stated: Mapped[int | None] = mapped_column(BigInteger, comment="NumberOfStudyRelatedInstances; null: not said")
    named: Mapped[int] = mapped_column(BigInteger, comment="instances that its answers listed")


class PullInstance(Base):
    """An instance of a pull, and what became of it."""

    __tablename__ = "pull_instances"
    __table_args__ = (
        UniqueConstraint("pull_id", "sop_instance_uid"),
        Index("ix_pull_instances_state", "pull_id", "state", "id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pull_id: Mapped[int] = mapped_column(ForeignKey("pulls.id", ondelete="CASCADE"))
    study_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    sop_instance_uid: Mapped[str] = mapped_column(String(64))
    sop_class_uid: Mapped[str] = mapped_column(String(64), comment="as the peer says; empty: it does not")
    state: Mapped[str] = mapped_column(String(16), comment="pending, received, failed, gone or not_wanted")
    why: Mapped[str | None] = mapped_column(String(200), comment="why it failed")
