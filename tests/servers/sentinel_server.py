"""A sentinel of the tests' own, which watches a Redis of theirs and names the one that is the master."""

from __future__ import annotations

import signal
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers.redis_server import RedisServer
from tests.servers.server import Server, program_path

NAME = "mymaster"


class SentinelServer(Server):
    """One sentinel, which decides alone; the password of the Redis that it watches is that of all of ours."""

    programs = ("redis-server",)
    polite_stop = signal.SIGTERM

    def __init__(self, master: RedisServer) -> None:
        super().__init__()
        self._master = master

    @property
    def url(self) -> str:
        """sentinel://… of the master that it names."""
        return f"sentinel://:{self._master.password}@127.0.0.1:{self.port}/0?master_name={NAME}"

    @property
    def command(self) -> list[str]:
        return [program_path("redis-server"), str(self.directory / "sentinel.conf"), "--sentinel"]

    def prepare(self) -> None:
        """Write its configuration, which it writes anew itself."""
        (self.directory / "sentinel.conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.directory}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {self._master.port} 1\n"
            f"sentinel auth-pass {NAME} {self._master.password}\n"
            f"sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 3000\n"
        )
        (self.directory / "sentinel.conf").chmod(0o666)

    def answering(self) -> int | None:
        """Return the id of the process that answers at the port, once it has found the master."""
        try:
            with self.client() as client:
                if client.sentinel_masters()[NAME]["flags"] != "master":
                    return None
                return int(client.info("server")["process_id"])
        except (redis.RedisError, KeyError):
            return None

    @property
    def identity(self) -> int:
        """The id of our process."""
        assert self.process is not None
        return self.process.pid

    def master(self) -> dict[str, Any]:
        """Return what it knows of the master: port, num-slaves and more."""
        with self.client() as client:
            known: dict[str, Any] = client.sentinel_masters()[NAME]
            return known

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=2.0, retry=Retry(NoBackoff(), 0))
