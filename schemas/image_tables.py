"""The tables of directories and of the images in them; `schemas.tables` gives them together with the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, BigId, UtcDateTime


class Root(Base):
    """A directory that a command was given; files are opened under known roots only.

    One inside another, or the same directory by another name, shares the other's images.
    """

    __tablename__ = "roots"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, unique=True, comment="absolute, links resolved, as bytes")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    home_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="the root that lists its images; empty where it does itself"
    )
    inside: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="what their paths begin with in that root, as bytes: 2024/"
    )


class Image(Base):
    """A file that a walk found, as it was when last walked.

    path_hash is empty only where a version before it inserted the image, on SQLite; the next walk fills it.
    """

    __tablename__ = "images"
    __table_args__ = (
        Index("uq_images_root_id_path_hash", "root_id", "path_hash", unique=True),
        # Prefixes are looked up in it. SQLite has the first revision's unique index of whole paths for that.
        Index("ix_images_path", "root_id", text("substring(path, 1, 255)")).ddl_if(dialect="postgresql"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"))
    path: Mapped[bytes] = mapped_column(LargeBinary, comment="relative to the root, as bytes; may hold a name")
    path_hash: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), comment="SHA-256 of path, since an index takes no long path"
    )
    size: Mapped[int] = mapped_column(BigInteger, comment="bytes")
    mtime_ns: Mapped[int] = mapped_column(BigInteger, comment="nanoseconds since 1970")
