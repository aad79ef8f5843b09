"""The servers that a page says it needs, in a line `<!-- needs: redis postgres -->` or `<!-- needs: orthanc -->`.

An Orthanc is started by the page itself, on ports that the test chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer
from tests.servers.server import free_port

BROKER = "redis://:PASSWORD@broker.example:6379/0"
DATABASE = "postgresql+psycopg://wetread:PASSWORD@db.example/wetread"


ORTHANC = ("4242", "8042", "11112")
"""The page's ports of Orthanc, its web service, and of `listen`."""


def needs_orthanc(text: str) -> bool:
    return "<!-- needs: orthanc -->" in text


def free_ports() -> dict[str, str]:
    """Return the page's ports -> ports that nobody has."""
    return {port: str(free_port()) for port in ORTHANC}


def needs_servers(text: str) -> bool:
    return "<!-- needs: redis postgres -->" in text


@contextmanager
def servers_for(text: str) -> Iterator[Mapping[str, str]]:
    """Start what the page at hand needs; give what its commands name -> what to name instead."""
    with ExitStack() as stack:
        if not needs_servers(text):
            yield {}
            return
        redis, postgres = RedisServer(), PostgresServer()
        stack.callback(redis.close)
        stack.callback(postgres.close)
        yield instead(redis.start().url, postgres.start().create_database("wetread"))


def instead(redis_url: str, postgres_url: str) -> dict[str, str]:
    """Return the page's addresses -> these."""
    return {BROKER: redis_url, DATABASE: postgres_url}
