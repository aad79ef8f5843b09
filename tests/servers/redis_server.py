"""A Redis of the tests' own."""

from __future__ import annotations

import signal
from typing import ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers.server import Server, program_path


class RedisServer(Server):
    """Redis as docker-compose.yml runs it (a password, appendonly, noeviction), without the waiting for the disk."""

    programs: ClassVar[tuple[str, ...]] = ("redis-server",)
    polite_stop = signal.SIGTERM
    password = "test-password"  # noqa: S105  a server of the tests, on loopback

    @property
    def url(self) -> str:
        """redis://…"""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def command(self) -> list[str]:
        """The server; what it answered survives kill(), since it is written, though not synced, by then."""
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--dir": str(self.directory),
            "--requirepass": self.password,
            "--appendonly": "yes",
            "--appendfsync": "no",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        return [program_path("redis-server"), *(word for option in options.items() for word in option)]

    def answering(self) -> int | None:
        """Return the id of the process that answers at the port, once it has read its data again."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1.0, retry=Retry(NoBackoff(), 0)) as client:
                client.get("loaded?")  # refused until then
                return int(client.info("server")["process_id"])
        except redis.RedisError:
            return None

    @property
    def identity(self) -> int:
        """The id of our process."""
        assert self.process is not None
        return self.process.pid

    def flush(self) -> None:
        """Remove everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
