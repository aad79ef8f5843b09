"""Readers: who may sign in to the reading room, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.reader_tables import ROLES
from schemas.tables import ApiToken, ReaderSession, StoredReader
from wetread.nearest import nearest
from wetread.store.readers.passwords import hashed_password, is_password

_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader. role: one of schemas.reader_tables.ROLES."""

    id: int
    name: str
    role: str
    created_at: datetime
    disabled_at: datetime | None

    def may(self, role: str) -> bool:
        """Return whether this reader may do what `role` may."""
        return self.disabled_at is None and ROLES.index(self.role) >= ROLES.index(role)


def add_reader(session: Session, name: str, role: str, password: str, now: datetime) -> None:
    """Store a reader; raise UsageError for a name that cannot be or is taken, or a password that is too short."""
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable() or name != name.strip():
        raise UsageError(f"expected a name of at most {_NAME_LENGTH} printable characters, found {name!r}")
    if role not in ROLES:
        raise UsageError(f"expected a role among {', '.join(ROLES)}, found {role!r}")
    if _row(session, name) is not None:
        raise UsageError(f"expected a new name, found a reader {name!r}; `wetread readers password` gives a new one")
    session.add(StoredReader(name=name, role=role, password_hash=hashed_password(password), created_at=now))


def list_readers(session: Session) -> list[Reader]:
    """Return the readers by name, disabled ones included."""
    return [_reader(row) for row in session.scalars(select(StoredReader).order_by(StoredReader.name))]


def disable_reader(session: Session, name: str, now: datetime) -> int:
    """Let a reader sign in no more, end their sessions and revoke their tokens; what they said stays.

    Returns how many tokens counted until now. Raises UsageError without such a reader.
    """
    row = _known(session, name)
    row.disabled_at = row.disabled_at or now
    return _let_out(session, row, now)


def change_password(session: Session, name: str, password: str, now: datetime) -> int:
    """Give a reader a new password, let them sign in again, end their sessions and revoke their tokens.

    Returns how many tokens counted until now. Raises UsageError without such a reader.
    """
    row = _known(session, name)
    row.password_hash, row.disabled_at = hashed_password(password), None
    return _let_out(session, row, now)


def reader_by_password(session: Session, name: str, password: str) -> Reader | None:
    """Return the reader who signs in so, or None; a refusal takes the same time for every reason."""
    row = _row(session, name)
    if not is_password(password, None if row is None or row.disabled_at is not None else row.password_hash):
        return None
    return None if row is None else _reader(row)


def reader_by_name(session: Session, name: str) -> Reader | None:
    """Return the reader whom somebody else vouches for; None where there is nobody, or not any more."""
    row = _row(session, name)
    return None if row is None or row.disabled_at is not None else _reader(row)


def find_reader(session: Session, reader_id: int) -> Reader | None:
    """Return the reader of this number, None without one."""
    row = session.get(StoredReader, reader_id)
    return None if row is None else _reader(row)


def known_reader(session: Session, name: str) -> Reader:
    """Return the reader of this name, one that is disabled too; raise UsageError, with the nearest, without one."""
    return _reader(_known(session, name))


def _let_out(session: Session, row: StoredReader, now: datetime) -> int:
    """End a reader's sessions and revoke their tokens, or those would count again once the reader may sign in."""
    session.execute(delete(ReaderSession).where(ReaderSession.reader_id == row.id))
    tokens = session.scalars(select(ApiToken).where(ApiToken.reader_id == row.id, ApiToken.revoked_at.is_(None))).all()
    live = sum(one.ends_at is None or one.ends_at > now for one in tokens)
    for one in tokens:
        one.revoked_at = now
    return live


def _known(session: Session, name: str) -> StoredReader:
    row = _row(session, name)
    if row is None:
        names = [reader.name for reader in list_readers(session)]
        meant = nearest(name, names)
        hint = f"did you mean {meant!r}?" if meant else "there are: " + (", ".join(map(repr, names)) or "none yet")
        raise UsageError(f"expected a reader, found none named {name!r}; {hint}")
    return row


def _row(session: Session, name: str) -> StoredReader | None:
    can_be_stored = "\0" not in name and not any("\ud800" <= sign <= "\udfff" for sign in name)
    return session.scalar(select(StoredReader).where(StoredReader.name == name)) if can_be_stored else None


def _reader(row: StoredReader) -> Reader:
    return Reader(row.id, row.name, row.role, row.created_at, row.disabled_at)
