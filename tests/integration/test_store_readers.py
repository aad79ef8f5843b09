"""Readers, their passwords and their sessions, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from schemas.errors import UsageError
from schemas.tables import StoredReader
from wetread.store.core.database import Database
from wetread.store.readers import passwords
from wetread.store.readers.readers import (
    add_reader,
    change_password,
    disable_reader,
    list_readers,
    reader_by_password,
)
from wetread.store.readers.sessions import IDLE, LONGEST, begin_session, end_session, note_seen, reader_of
from wetread.store.readers.tokens import add_token, reader_of_token

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_N", 16)


@pytest.fixture
def roe(database: Database) -> str:
    """Return the secret of a session of roe."""
    with database.writing() as session:
        add_reader(session, "roe", "review", PASSWORD, NOW)
    with database.writing() as session:
        reader = reader_by_password(session, "roe", PASSWORD)
        assert reader is not None
        return begin_session(session, reader, NOW)


def who(database: Database, token: str, at: datetime) -> str | None:
    with database.reading() as session:
        found = reader_of(session, token, at)
    return None if found is None else found[0].name


def test_the_right_password_signs_in_and_no_other(database: Database, roe: str) -> None:
    with database.reading() as session:
        assert reader_by_password(session, "roe", PASSWORD) is not None
        for name, password in (("roe", PASSWORD + "x"), ("roe", ""), ("doe", PASSWORD), ("ro\0e", PASSWORD)):
            assert reader_by_password(session, name, password) is None
        kept = session.scalars(select(StoredReader.password_hash)).one()
    assert PASSWORD not in kept and kept.startswith("scrypt:")


def test_a_session_ends_when_it_is_idle_or_old(database: Database, roe: str) -> None:
    assert who(database, roe, NOW + IDLE / 2) == "roe"
    assert who(database, roe, NOW + IDLE + timedelta(seconds=1)) is None
    used = NOW
    while used < NOW + LONGEST - IDLE:
        used += IDLE / 2
        with database.writing() as session:
            note_seen(session, roe, used)
    assert who(database, roe, NOW + LONGEST) == "roe"
    assert who(database, roe, NOW + LONGEST + timedelta(seconds=1)) is None


def test_what_is_stored_of_a_session_opens_nothing(database: Database, roe: str) -> None:
    with database.reading() as session:
        stored = session.execute(text("SELECT token_hash FROM reader_sessions")).scalar_one()
    assert stored != roe
    assert who(database, stored, NOW) is None
    assert who(database, roe[:-1], NOW) is None


def test_signing_out_ends_it(database: Database, roe: str) -> None:
    with database.writing() as session:
        end_session(session, roe)
    assert who(database, roe, NOW) is None


def test_who_is_disabled_is_out_at_once_and_a_new_password_lets_in_again(database: Database, roe: str) -> None:
    with database.writing() as session:
        disable_reader(session, "roe", NOW)
    assert who(database, roe, NOW) is None
    with database.writing() as session:
        assert reader_by_password(session, "roe", PASSWORD) is None
        change_password(session, "roe", "another long password", NOW)
    with database.reading() as session:
        assert reader_by_password(session, "roe", PASSWORD) is None
        assert reader_by_password(session, "roe", "another long password") is not None
        assert [(one.name, one.may("review"), one.may("manage")) for one in list_readers(session)] == [
            ("roe", True, False)
        ]


def test_tokens_end_with_their_reader_and_with_the_password(database: Database, roe: str) -> None:
    def opens(secret: str) -> bool:
        with database.reading() as session:
            return reader_of_token(session, secret, NOW) is not None

    with database.writing() as session:
        add_reader(session, "doe", "look", PASSWORD, NOW)
        secrets = [add_token(session, name, "roe", "look", NOW) for name in ("notebook", "portal")]
        add_token(session, "old", "roe", "look", NOW, NOW - timedelta(days=1))
        others = add_token(session, "others", "doe", "look", NOW)
    with database.writing() as session:
        assert disable_reader(session, "roe", NOW) == 2
    with database.writing() as session:
        assert change_password(session, "roe", PASSWORD, NOW) == 0
        secrets.append(add_token(session, "new", "roe", "look", NOW))
    assert [opens(secret) for secret in secrets] == [False, False, True]
    with database.writing() as session:
        assert change_password(session, "roe", PASSWORD, NOW) == 1
    assert not opens(secrets[-1]) and opens(others)


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [("", "look", PASSWORD), ("roe", "look", PASSWORD), ("x" * 65, "look", PASSWORD), ("doe", "look", "short")],
)
def test_what_cannot_be_a_reader_is_refused(database: Database, roe: str, name: str, role: str, password: str) -> None:
    with pytest.raises(UsageError), database.writing() as session:
        add_reader(session, name, role, password, NOW)


def test_a_mistyped_name_is_told(database: Database, roe: str) -> None:
    with pytest.raises(UsageError, match="did you mean 'roe'"), database.writing() as session:
        disable_reader(session, "reo", NOW)
