"""URLs of brokers and databases: what is understood, and what is refused in a sentence, without a password."""

from __future__ import annotations

import pytest

from schemas.errors import UsageError
from wetread.broker_address import read_address
from wetread.settings import load_settings


def test_a_certificate_is_checked_unless_the_url_says_otherwise() -> None:
    assert read_address("rediss://h:1/0").url == "rediss://h:1/0?ssl_cert_reqs=required"
    assert "ssl_check_hostname=false" in read_address("rediss://h/0?ssl_cert_reqs=none").url
    assert read_address("redis://:pw@h:1/0").url == "redis://:pw@h:1/0"


def test_each_sentinel_is_told_the_password_and_the_number() -> None:
    address = read_address("sentinel://:s%40cret@a:1;b/3?master_name=m&sentinel_password=other")
    assert address.url == "sentinel://:s%40cret@a:1/3;sentinel://:s%40cret@b:26379/3"
    assert address.transport_options["master_name"] == "m"
    assert "other" in address.transport_options["sentinel_kwargs"].values()


@pytest.mark.parametrize(
    ("variable", "url", "said"),
    [
        ("BROKER", "amqp://me:secret@h", "another form"),
        ("BROKER", "redis://:secret@h:port/0", "an invalid port or host"),
        ("BROKER", "redis://:secret@h/zero", "a number of Redis's database"),
        ("BROKER", "redis://:secret@h/0?ssl_ca_certs=x", "options of TLS stand after rediss://"),
        ("BROKER", "rediss://:secret@h/0?ssl_cert_reqs=perhaps", "required"),
        ("BROKER", "rediss://:secret@h/0?ssl_ca_certs=", "to have a value"),
        ("BROKER", "redis://h/0?password=secret", "no option"),
        ("BROKER", "sentinel://:secret@h:1/0", "master_name"),
        ("BROKER", "redis://:secret@h;redis://:secret@i", "another form"),
        ("DATABASE", "postgresql+psycopg://me:secret@h/x?nonsense=1", "found nonsense"),
        ("DATABASE", "sqlite:////x.db?timeout=secret", "found timeout"),
        ("DATABASE", "mysql://me:secret@h/x", "another form"),
        ("DATABASE", "me:secret@h", "another form"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str, said: str
) -> None:
    monkeypatch.setenv(f"WETREAD_{variable}_URL", url)
    with pytest.raises(UsageError, match=f"WETREAD_{variable}_URL") as refused:
        load_settings()
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://a,b/x?target_session_attrs=read-write&sslmode=require", "sqlite:////x.db"]
)
def test_what_the_driver_knows_is_let_through(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("WETREAD_DATABASE_URL", url)
    assert load_settings().database == url


@pytest.mark.parametrize("number", ["nan", "inf", "1e400", "9" * 400, "-1"])
@pytest.mark.parametrize(
    "name", ["LEASE_SECONDS", "IMAGE_SECONDS", "SWEEP_SECONDS", "MEMORY_BYTES", "ATTEMPTS", "FILE_BYTES"]
)
def test_a_setting_is_no_number_that_a_machine_cannot_hold(
    monkeypatch: pytest.MonkeyPatch, name: str, number: str
) -> None:
    monkeypatch.setenv(f"WETREAD_{name}", number)
    with pytest.raises(UsageError, match=name):
        load_settings()
