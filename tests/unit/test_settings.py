"""Settings that cannot be used are named, and a URL is printed without what it keeps secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import UsageError
from wetread.settings import load_settings, safe_url
from wetread.store.core.database import Database


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOT_MAP", "no json"),
        ("HOME", "~nobody-of-that-name/x"),
        ("BROKER_URL", "amqp://me:secret@host"),
        ("BROKER_URL", "memory://"),
        ("BROKER_URL", "localhost:6379"),
        ("BROKER_URL", "redis://:secret@host:port/0"),
        ("LEASE_SECONDS", "0"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_no_secret_with_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"WETREAD_{name}", value)
    with pytest.raises(UsageError, match=f"WETREAD_{name}") as raised:
        load_settings()
    assert "secret" not in str(raised.value)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MODELS", "BROKER_URL", "DATABASE_URL", "BATCH_SIZE", "ROOT_MAP"):
        monkeypatch.setenv(f"WETREAD_{name}", "")
    settings = load_settings()
    assert settings.models_directory == Path(os.environ["WETREAD_HOME"]) / "models"
    assert settings.broker is None


def test_a_database_port_that_is_no_number_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="WETREAD_DATABASE_URL"):
        Database("postgresql+psycopg://me:secret@host:port/x")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me:secret@host/x",
        "postgresql+psycopg://host/x?user=me&password=secret",
        "redis://:secret@host:1/0",
        "redis://host:1/0?password=secret",
        "redis://:se?secret@host:1/0",
    ],
)
def test_a_url_is_printed_without_its_password(url: str) -> None:
    printed = safe_url(url)
    assert "secret" not in printed
    assert printed.startswith(url.partition("://")[0])
