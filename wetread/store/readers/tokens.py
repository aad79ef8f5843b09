"""Tokens: secrets by which programs ask the HTTP API as a reader, and their hashes here.

A secret has 256 bits of chance, so that its plain SHA-256 is enough to keep: nobody finds it by guessing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.reader_tables import ROLES
from schemas.tables import ApiToken, StoredReader
from wetread.nearest import nearest
from wetread.store.readers.readers import Reader, find_reader, known_reader

PREFIX = "wetread_"
"""With which secrets begin, so that whoever finds one in a file knows what it opens."""

_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token, as whom it asks, and until when."""

    name: str
    reader: str
    role: str
    created_at: datetime
    ends_at: datetime | None
    revoked_at: datetime | None


def add_token(
    session: Session, name: str, reader: str, role: str, now: datetime, ends_at: datetime | None = None
) -> str:
    """Store a token and return its secret, which is nowhere else.

    Raises UsageError for a name that cannot be or is taken, without such a reader, or for a role above the reader's.
    """
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable() or name != name.strip():
        raise UsageError(f"expected a name of at most {_NAME_LENGTH} printable characters, found {name!r}")
    if session.scalar(select(ApiToken.id).where(ApiToken.name == name)) is not None:
        raise UsageError(f"expected a new name, found a token {name!r}; a revoked one keeps its name, too")
    of = known_reader(session, reader)
    if of.disabled_at is not None:
        raise UsageError(f"expected a reader who may sign in, found {reader!r} disabled")
    if role not in ROLES or not of.may(role):
        raise UsageError(f"expected a role that {reader!r} has, up to {of.role}, found {role!r}")
    secret = PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(name=name, reader_id=of.id, role=role, token_hash=_hash(secret), created_at=now, ends_at=ends_at)
    )
    return secret


def list_tokens(session: Session) -> list[ListedToken]:
    """Return the tokens by name, those that were revoked too."""
    query = select(ApiToken, StoredReader.name).join(StoredReader, StoredReader.id == ApiToken.reader_id)
    return [
        ListedToken(row.name, reader, row.role, row.created_at, row.ends_at, row.revoked_at)
        for row, reader in session.execute(query.order_by(ApiToken.name))
    ]


def revoke_token(session: Session, name: str, now: datetime) -> None:
    """Let a token count no more; raise UsageError without one."""
    names = list(session.scalars(select(ApiToken.name).order_by(ApiToken.name)))
    if name not in names:
        meant = nearest(name, names)
        hint = f"did you mean {meant!r}?" if meant else "there are: " + (", ".join(map(repr, names)) or "none yet")
        raise UsageError(f"expected a token, found none named {name!r}; {hint}")
    row = session.scalars(select(ApiToken).where(ApiToken.name == name)).one()
    row.revoked_at = row.revoked_at or now


def reader_of_token(session: Session, secret: str, now: datetime) -> Reader | None:
    """Return as whom the holder of `secret` asks, with the lesser of both roles; None where it opens nothing."""
    row = session.scalar(select(ApiToken).where(ApiToken.token_hash == _hash(secret)))
    if row is None or row.revoked_at is not None or (row.ends_at is not None and row.ends_at <= now):
        return None
    reader = find_reader(session, row.reader_id)
    if reader is None or reader.disabled_at is not None:
        return None
    return replace(reader, role=min(reader.role, row.role, key=ROLES.index))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
