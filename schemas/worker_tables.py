"""The table of the processes that serve; `schemas.tables` gives it together with the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import Base, UtcDateTime


class Worker(Base):
    """A process that serves, and when it was last heard of."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(String(128), primary_key=True, comment="host:pid:start, unique for ever")
    host: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[float] = mapped_column(Float, comment="seconds since 1970 by the database's clock")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, comment="engine, model digest")
