"""The tables of the reading room: who reads, their sessions, and the lists that they go through.

`schemas.tables` gives them with the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime

ROLES = ("look", "review", "manage")
"""What a reader may do; each may what those before it may."""

TRIAGE = "triage"
ORDERS = (TRIAGE, "newest", "oldest", "most-probable", "least-probable")
"""In which order a list is gone through. triage: uncertain films first, and the nearest to their threshold first."""


class StoredReader(Base):
    """A person who signs in to the reading room."""

    __tablename__ = "readers"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16), comment="look, review or manage")
    password_hash: Mapped[str] = mapped_column(Text, comment="scrypt:N:r:p:salt:key, the last two hexadecimal")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReaderSession(Base):
    """A browser that a reader signed in with."""

    __tablename__ = "reader_sessions"
    __table_args__ = (Index("ix_reader_sessions_reader_id", "reader_id"),)
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of what its cookie holds")
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="to the minute")


class ApiToken(Base):
    """A secret by which a program asks the HTTP API as a reader; only its hash is here."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("token_hash"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), comment="what the program is called")
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"), comment="as whom it asks")
    role: Mapped[str] = mapped_column(String(16), comment="look, review or manage; never more than the reader's")
    token_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the secret")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="from when on it counts no more")
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReadingList(Base):
    """Films to go through: filters and an order, by a number that an address can hold without naming anybody."""

    __tablename__ = "reading_lists"
    __table_args__ = (UniqueConstraint("digest"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of what follows: the same list has one number")
    filters: Mapped[dict[str, Any]] = mapped_column(JSON, comment="as wetread/store/reviews/reading_lists.py has it")
    films_order: Mapped[str] = mapped_column(String(16), comment="triage, newest, …")
    blinded: Mapped[bool] = mapped_column(
        default=False, server_default=false(), comment="the model's answer is shown after the reader's own"
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
