"""Checks a database's URL: its driver, and the options that the driver knows.

SQLAlchemy hands what stands after the ? to the driver, which meets an option that it does not know with an exception of
its own, for some hosts only once it has found them.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

SCHEMES = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
}
"""Scheme of a URL -> whose options it takes."""

LIBPQ_OPTIONS = frozenset({
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts",
    "max_protocol_version", "min_protocol_version", "oauth_client_id", "oauth_client_secret", "oauth_issuer",
    "oauth_scope", "options", "passfile", "password", "port", "replication", "require_auth", "requirepeer",
    "scram_client_key", "scram_server_key", "service", "ssl_max_protocol_version", "ssl_min_protocol_version",
    "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslmode",
    "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout",
    "user",
})  # fmt: skip
"""What libpq 18 takes; PostgreSQL's manual lists them under "Parameter Key Words"."""

OPTIONS = {"sqlite": frozenset[str](), "postgresql": LIBPQ_OPTIONS}


def check_address(url: str) -> None:
    """Raise ValueError, without the URL's password, where `url` names a driver or an option that we do not know."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError("expected sqlite:///FILE or postgresql+psycopg://…, found another form")
    kind = SCHEMES[scheme]
    for name, _ in parse_qsl(rest.partition("?")[2], keep_blank_values=True):
        if name not in OPTIONS[kind]:
            shown = name if name.isidentifier() and len(name) < 40 else "another text"
            expected = "no option after a ?" if kind == "sqlite" else "options of libpq after the ?, such as sslmode"
            raise ValueError(f"expected {expected}, found {shown}")
