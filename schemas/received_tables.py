"""The tables of received films and of the peers that may send them; `schemas.tables` gives them with the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime

IS_WAITING = "state = 'waiting'"
"""The rows of an index: a query that names this very text is answered from it."""


class Received(Base):
    """An object that a peer was answered 0x0000 for, once a SOP instance and bytes."""

    __tablename__ = "received"
    __table_args__ = (
        UniqueConstraint("sop_instance_uid", "sha256", "root_id"),
        Index(
            "ix_received_waiting",
            "root_id",
            "id",
            sqlite_where=text(IS_WAITING),
            postgresql_where=text(IS_WAITING),
        ),
        Index(
            "ix_received_conflicts",
            "run_id",
            sqlite_where=text("conflict = 1"),
            postgresql_where=text("conflict"),
        ),
        Index("ix_received_run_id", "run_id"),
        Index("ix_received_sha256", "sha256"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"), comment="the films' directory of a spool")
    sop_instance_uid: Mapped[str] = mapped_column(String(64))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64), comment="as it was sent, and is kept")
    sha256: Mapped[str] = mapped_column(String(64), comment="of the file, which holds nothing of its sender")
    size: Mapped[int] = mapped_column(BigInteger, comment="bytes, of the file")
    path: Mapped[bytes | None] = mapped_column(LargeBinary, comment="relative to the root; null: it was not kept")
    mtime_ns: Mapped[int] = mapped_column(BigInteger, comment="of the file")
    state: Mapped[str] = mapped_column(String(16), comment="waiting, taken into a run, or not_wanted")
    conflict: Mapped[bool] = mapped_column(
        default=False, server_default=false(), comment="other bytes came under the same SOP instance UID"
    )
    copies: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default="0", comment="times that the same came again"
    )
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), comment="that took it")
    calling_title: Mapped[str] = mapped_column(String(16), comment="the sender's; empty: not known any more")
    called_title: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(45), comment="the sender's")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReceivedAccount(Base):
    """What was received into one spool, counted: received = taken + waiting at every moment."""

    __tablename__ = "received_accounts"
    __table_args__ = (CheckConstraint("received = taken + waiting", name="accounts"),)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"), primary_key=True, autoincrement=False)
    received: Mapped[int] = mapped_column(BigInteger, default=0, comment="films, each once")
    taken: Mapped[int] = mapped_column(BigInteger, default=0, comment="of these, into a run")
    waiting: Mapped[int] = mapped_column(BigInteger, default=0, comment="of these, for a run")
    conflicts: Mapped[int] = mapped_column(BigInteger, default=0, comment="of these, other bytes of one instance")
    copies: Mapped[int] = mapped_column(BigInteger, default=0, comment="times that a film or object came again")
    not_wanted: Mapped[int] = mapped_column(BigInteger, default=0, comment="objects that were not kept")


class StoredPeer(Base):
    """Who may send films: a calling title, from an address."""

    __tablename__ = "peers"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(16), comment="the title by which it calls")
    network: Mapped[str] = mapped_column(String(64), comment="the addresses that it calls from")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    calls: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), comment="how it is called; null: it is not"
    )
