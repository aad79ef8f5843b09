"""Parses a broker's URL: where Redis is, and whether it is reached by TLS or Sentinel.

    redis://[[USER]:PASSWORD@]HOST[:PORT][/NUMBER]
    rediss://…[?ssl_cert_reqs=required|optional|none&ssl_ca_certs=FILE&ssl_certfile=FILE&ssl_keyfile=FILE
                &ssl_check_hostname=true|false]
    redis+socket:///PATH[?virtual_host=NUMBER]
    sentinel://[[USER]:PASSWORD@]HOST[:PORT][;sentinel://HOST[:PORT]…][/NUMBER]?master_name=NAME[&sentinel_password=…]

Celery takes these, but leaves a certificate unchecked unless it is told to check it, has no place in its URL for a
master's name, and meets an option that it does not know with an exception of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

SENTINEL_PORT = 26379

SENTINEL_SECONDS = 2.0
"""Seconds that one of several sentinels may take to answer, before the next one is asked."""

TLS_OPTIONS = {
    "ssl_cert_reqs": frozenset({"required", "optional", "none"}),
    "ssl_check_hostname": frozenset({"true", "false"}),
    "ssl_ca_certs": None,
    "ssl_certfile": None,
    "ssl_keyfile": None,
}
"""Options of rediss://, and the words that each may have; None where it names a file."""

OPTIONS = {
    "redis": frozenset[str](),
    "rediss": frozenset(TLS_OPTIONS),
    "redis+socket": frozenset({"virtual_host"}),
    "sentinel": frozenset({"master_name", "sentinel_username", "sentinel_password"}),
}
"""Scheme -> the options that may stand after the ? of its URL."""

FORMS = "redis://HOST:PORT/NUMBER, rediss://… for TLS, redis+socket:///PATH or sentinel://HOST:PORT?master_name=NAME"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker as Celery is told of it: the URLs, joined by ;, and options of its transport beside them.

    hosts: those of the URLs.
    """

    url: str
    hosts: tuple[str, ...] = ()
    transport_options: dict[str, Any] = field(default_factory=dict)


def read_address(url: str) -> BrokerAddress:
    """Return the address in `url`; raise ValueError, without its password, for a URL that is not of a Redis."""
    members = [part if "://" in part else f"sentinel://{part}" for part in url.split(";")]
    scheme = url.partition("://")[0]
    if scheme not in OPTIONS or (len(members) > 1 and scheme != "sentinel"):
        raise ValueError(f"expected {FORMS}, found another form")
    try:
        parts = [urlsplit(member) for member in members]
        ports = [part.port for part in parts]
    except ValueError as error:
        raise ValueError(f"expected {FORMS}, found an invalid port or host") from error
    if scheme != "redis+socket" and (0 in ports or not all(part.scheme == scheme for part in parts)):
        raise ValueError(f"expected {FORMS}, found another form")
    options = dict(pair for part in parts for pair in parse_qsl(part.query, keep_blank_values=True))
    _check_options(scheme, options)
    number = next((part.path.strip("/") for part in reversed(parts) if part.path.strip("/")), "")
    if scheme != "redis+socket" and number and not number.isdecimal():
        raise ValueError("expected a number of Redis's database after the /, found another text")
    if scheme == "sentinel":
        return _behind_sentinels(parts, number, options)
    hosts = tuple(part.hostname for part in parts if part.hostname and scheme != "redis+socket")
    if scheme == "rediss":
        # Without a word about it Celery would take any certificate.
        options = {"ssl_cert_reqs": "required", **options}
        if options["ssl_cert_reqs"] == "none":  # a name can be held only to a certificate that is looked at
            options["ssl_check_hostname"] = "false"
        return BrokerAddress(f"{url.partition('?')[0]}?{urlencode(options)}", hosts)
    return BrokerAddress(url, hosts)


def _check_options(scheme: str, options: dict[str, str]) -> None:
    known = OPTIONS[scheme]
    for name, value in options.items():
        if name not in known:
            found = "an option of TLS" if name in TLS_OPTIONS else "an unknown option"
            expected = f"expected of {scheme}:// {' or '.join(sorted(known)) or 'no option after a ?'}"
            raise ValueError(f"{expected}, found {found}; options of TLS stand after rediss://")
        words = TLS_OPTIONS.get(name)
        if words is not None and value not in words:
            raise ValueError(f"expected {name} to be {' or '.join(sorted(words))}, found another word")
        if not value:
            raise ValueError(f"expected {name} to have a value, found none")
    if scheme == "sentinel" and "master_name" not in options:
        raise ValueError("expected the master's name after sentinel://…, as ?master_name=mymaster; found none")


def _behind_sentinels(parts: list[Any], number: str, options: dict[str, str]) -> BrokerAddress:
    user, password = (next((of(part) for part in parts if of(part)), "") for of in (_user, _password))
    credentials = f"{user}:{password}@" if user or password else ""
    places = []
    for part in parts:
        if not part.hostname:
            raise ValueError(f"expected {FORMS}, found a sentinel without a host")
        host = f"[{part.hostname}]" if ":" in part.hostname else part.hostname
        places.append(f"sentinel://{credentials}{host}:{part.port or SENTINEL_PORT}/{number}")
    # A sentinel is asked once; the next one is asked instead of the same one again.
    asked: dict[str, Any] = {
        "socket_timeout": SENTINEL_SECONDS,
        "socket_connect_timeout": SENTINEL_SECONDS,
        "retry": None,
    }
    for name in ("username", "password"):
        if value := options.get(f"sentinel_{name}"):
            asked[name] = value
    hosts = tuple(part.hostname for part in parts)
    return BrokerAddress(";".join(places), hosts, {"master_name": options["master_name"], "sentinel_kwargs": asked})


def _user(part: Any) -> str:
    return quote(part.username or "", safe="%")


def _password(part: Any) -> str:
    return quote(part.password or "", safe="%")
