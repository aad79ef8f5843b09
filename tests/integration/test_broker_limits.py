"""A broker that hangs or refuses is given up in seconds, and what to do about it is said; TLS and Sentinel work."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry

from schemas.errors import ServiceUnavailable
from tests.hanging import silent_port
from tests.servers.redis_server import RedisServer
from tests.servers.sentinel_server import SentinelServer
from tests.servers.tls_servers import TlsRedis
from tests.services import factory
from wetread.queue import CONNECT_SECONDS, make_app, queue_length, ring
from wetread.settings import Settings

LIMIT = CONNECT_SECONDS + 3.0
"""Seconds: one limit of one connection, and what a busy machine adds."""

MESSAGE_BYTES = 1000


def asked(url: str) -> int:
    settings = Settings(broker_url=SecretStr(url))
    return queue_length(make_app(settings), settings)


def refused(url: str) -> str:
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable) as raised:
        asked(url)
    assert time.monotonic() - began < LIMIT
    assert "secret" not in str(raised.value)
    return str(raised.value)


def test_a_broker_that_never_answers_is_given_up(start_redis: Callable[[], RedisServer]) -> None:
    server = start_redis()
    assert server.process is not None
    with silent_port() as port, ThreadPoolExecutor() as threads:
        silent = threads.submit(refused, f"redis://127.0.0.1:{port}/0")
        sentinel = threads.submit(refused, f"sentinel://127.0.0.1:{port}/0?master_name=m")
        assert "speaks no TLS" in refused(server.url.replace("redis://", "rediss://"))
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            assert "hangs" in refused(server.url)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert "does not answer" in silent.result()
        assert "sentinel" in sentinel.result()
    assert asked(server.url) == 0


def test_a_broker_that_refuses_says_why_and_what_to_do(start_redis: Callable[[], RedisServer]) -> None:
    server = start_redis()
    with redis.Redis.from_url(server.url, retry=Retry(NoBackoff(), 0)) as client:
        client.replicaof("127.0.0.1", "1")
        assert "name the master" in refused(server.url)
        client.replicaof("no", "one")
        client.config_set("maxmemory", "1")
        assert "raise its maxmemory" in refused(server.url)
        client.config_set("maxmemory", "0")
        client.set("wetread", "another program's")
        assert "take another number" in refused(server.url)
        client.delete("wetread")
        assert asked(server.url) == 0
        assert client.keys() == [], "asking leaves nothing behind"
    assert "it wants a password" in refused(f"redis://127.0.0.1:{server.port}/0")
    assert "another password" in refused(f"redis://:secret@127.0.0.1:{server.port}/0")


def test_a_message_is_small_whatever_the_host_is_called(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.utils.nodenames.gethostname", lambda: "h" * 64)
    app = make_app(Settings(broker_url=SecretStr(redis_url)))
    with app.connection_for_write() as connection:
        ring(app, connection, 2**63 - 1)
    with redis.Redis.from_url(redis_url) as client:
        assert len(client.lindex("wetread", 0)) <= MESSAGE_BYTES


def test_tls_works_and_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with factory(TlsRedis) as start:
        server = start()
        assert asked(server.url) == 0
        bare = server.url.partition("?")[0]
        assert "ssl_ca_certs" in refused(bare)
        assert asked(f"{bare}?ssl_cert_reqs=none") == 0
        assert "want TLS" in refused(bare.replace("rediss://", "redis://"))


def test_a_master_is_found_by_its_sentinels(start_redis: Callable[[], RedisServer]) -> None:
    server = start_redis()
    with factory(SentinelServer) as start:
        port = start(server).port
        url = f"sentinel://:{server.password}@127.0.0.1:1;127.0.0.1:{port}/0?master_name=mymaster"
        assert asked(url) == 0
        app = make_app(Settings(broker_url=SecretStr(url)))
        with app.connection_for_write() as connection:
            ring(app, connection, 1)
        assert asked(url) == 1
        assert "knows a master of that name" in refused(url.replace("mymaster", "another"))
        assert "another password" in refused(url.replace(server.password, "secret"))
