"""The servers that a page says it needs, in a line `<!-- needs: redis postgres -->`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer

BROKER = "redis://:PASSWORD@broker.example:6379/0"
DATABASE = "postgresql+psycopg://wetread:PASSWORD@db.example/wetread"


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
