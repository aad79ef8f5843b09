"""Whatever somebody with the broker's password puts into the queue: nothing runs, nothing is read, the worker lives."""

from __future__ import annotations

import base64
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from tests.program import Program, eventually, films, kill_group, with_model
from wetread.queue import QUEUE_NAME, TASK_NAME

BODIES: tuple[Any, ...] = (
    {"v": 1, "batch_id": 999_999},
    {"v": 1, "batch_id": "../../etc/passwd"},
    {"v": 1, "batch_id": 1, "path": "/etc/passwd"},
    {"v": 1, "batch_id": -1},
    {"v": 1, "batch_id": True},
    {"v": 1, "batch_id": 1e3},
    {"v": 1, "batch_id": 2**70},
    {"v": "\x1b[2J\u202e" * 1000, "batch_id": 1},
    {"v": 1, "batch_id": "x" * 5_000_000},
    "../../etc/passwd",
    [[[[]]]],
    None,
)
NO_MESSAGES = (b"no JSON", b"\xff\xfe", b"", b"[]", b"{}", b"null", b'{"body": 1, "properties": {}}', b"[" * 100_000)


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.path}",))


def envelope(body: bytes, content_type: str = "application/json", **headers: object) -> bytes:
    """A message as Celery puts it into Redis, with other headers."""
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-type": content_type,
            "content-encoding": "binary" if content_type.endswith("serialize") else "utf-8",
            "headers": {"lang": "py", "task": TASK_NAME, "id": "forged", "argsrepr": "", "kwargsrepr": ""} | headers,
            "properties": {
                "delivery_tag": base64.b64encode(os.urandom(9)).decode(),
                "body_encoding": "base64",
                "delivery_info": {"exchange": "", "routing_key": QUEUE_NAME},
            },
        }
    ).encode()


def arguments(body: Any) -> bytes:
    return json.dumps([[body], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()


def forged(canary: Path) -> list[bytes]:
    program = pickle.dumps(([Canary(canary)], {}, {}))
    yaml = f"!!python/object/apply:os.system ['touch {canary}']".encode()
    return [
        *NO_MESSAGES,
        *(envelope(arguments(body)) for body in BODIES),
        envelope(program, "application/x-python-serialize"),
        envelope(program, "application/json"),
        envelope(yaml, "application/x-yaml"),
        envelope(arguments(f"touch {canary}"), task="os.system"),
        envelope(arguments(1), task=["no name"]),
        envelope(arguments(1), task="\x1b[2J\u202e"),
        envelope(arguments(1), id=[1], timelimit=5, eta={}, retries="x"),
    ]


@pytest.fixture
def served(tmp_path: Path, redis_url: str) -> Program:
    return with_model(
        tmp_path / "home", WETREAD_BROKER_URL=redis_url, WETREAD_SWEEP_SECONDS="1", WETREAD_LEASE_SECONDS="3"
    )


def test_a_worker_outlives_what_is_forged_and_reads_nothing_for_it(served: Program, tmp_path: Path) -> None:
    films(tmp_path / "archive", patients=3)
    url = served.environment["WETREAD_BROKER_URL"]
    canary, messages = tmp_path / "canary", forged(tmp_path / "canary")
    with redis.Redis.from_url(url) as broker, Connection(url) as connection:
        assert connection.info()["transport"] == "redis"
        broker.lpush(QUEUE_NAME, *messages)
        worker = served.start("worker", "--concurrency", "1")
        try:
            eventually(lambda: not broker.llen(QUEUE_NAME) and not broker.hlen("unacked"), what="an empty queue")
            assert served.json("screen", tmp_path / "archive")["state"] == "finished"
            assert worker.poll() is None, "the worker that met them all read the run"
            worker.terminate()
            _, said = worker.communicate(timeout=60)
        finally:
            if worker.poll() is None:
                kill_group(worker)
    assert not canary.exists()
    for logged in ("a message was refused", "untrusted content of type pickle", "of type yaml", "unregistered task"):
        assert logged in said, said
    assert said.count("a message was refused") >= len(NO_MESSAGES) + len(BODIES) - 1, "all but the id of no batch"
    assert all(line.isprintable() for line in said.splitlines()), "nothing that a terminal obeys"
    assert len(said) < 60_000, "no log is as long as its message"
