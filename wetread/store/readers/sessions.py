"""Sessions of readers: a secret in a browser's cookie, and its hash here."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from schemas.tables import ReaderSession
from wetread.store.readers.readers import Reader, find_reader

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
"""A session that nobody used for so long, or that began so long ago, has ended."""

NOTED_EVERY = timedelta(minutes=1)


def begin_session(session: Session, reader: Reader, now: datetime) -> str:
    """Return the secret of a new session of `reader`; expired sessions are deleted."""
    session.execute(delete(ReaderSession).where(or_(*_ended(now))))
    token = secrets.token_urlsafe(32)
    session.add(ReaderSession(token_hash=_hash(token), reader_id=reader.id, created_at=now, seen_at=now))
    return token


def reader_of(session: Session, token: str, now: datetime) -> tuple[Reader, bool] | None:
    """Return whose session this is, and whether it is time to note that it was used; None where it is nobody's."""
    row = session.scalar(select(ReaderSession).where(ReaderSession.token_hash == _hash(token), ~or_(*_ended(now))))
    reader = None if row is None else find_reader(session, row.reader_id)
    if row is None or reader is None or reader.disabled_at is not None:
        return None
    return reader, now - row.seen_at >= NOTED_EVERY


def note_seen(session: Session, token: str, now: datetime) -> None:
    """Note that a session was used."""
    if (row := session.get(ReaderSession, _hash(token))) is not None:
        row.seen_at = now


def end_session(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(ReaderSession).where(ReaderSession.token_hash == _hash(token)))


def _ended(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return ReaderSession.seen_at < now - IDLE, ReaderSession.created_at < now - LONGEST


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
