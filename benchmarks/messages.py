"""Messages a second through Redis by wetread's own queue: published as a sweep does, taken as a worker does."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

import psutil
from kombu import Consumer

from schemas.messages import BatchMessage
from tests.servers.redis_server import RedisServer
from wetread.queue import QUEUE_NAME, TASK_NAME, make_app
from wetread.settings import Settings


@dataclass(frozen=True, slots=True)
class Handed:
    """Messages a second that all processes together handed in or took; server: of Redis's core, milliseconds each."""

    per_second: float
    server: float


def publish(url: str, count: int) -> None:
    """Ring `count` times over one connection."""
    app = make_app(Settings(broker_url=url))  # type: ignore[arg-type]  # pydantic makes a secret of it
    with app.connection_for_write() as connection:
        for number in range(1, count + 1):
            app.send_task(TASK_NAME, args=[BatchMessage(number).encode()], connection=connection, ignore_result=True)


def consume(url: str, count: int) -> None:
    """Take and acknowledge `count` messages, one at a time, as a worker process has them."""
    app, taken = make_app(Settings(broker_url=url)), 0  # type: ignore[arg-type]  # the same

    def take(body: Any, message: Any) -> None:
        nonlocal taken
        BatchMessage.decode(body[0][0])
        message.ack()
        taken += 1

    with app.connection_for_read() as connection, connection.channel() as channel:
        channel.basic_qos(0, 1, False)
        with Consumer(channel, queues=[app.amqp.queues[QUEUE_NAME]], callbacks=[take], accept=["json"]):
            while taken < count:
                connection.drain_events(timeout=30)


def hand_over(server: RedisServer, processes: int, count: int) -> tuple[Handed, Handed]:
    """Return how fast `processes` publish `count` messages each, and how fast as many take them."""
    server.flush()
    return _at_once(server, publish, processes, count), _at_once(server, consume, processes, count)


def _at_once(server: RedisServer, act: Callable[[str, int], None], processes: int, count: int) -> Handed:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    started = [context.Process(target=_begin, args=(act, server.url, count, barrier)) for _ in range(processes)]
    for process in started:
        process.start()
    barrier.wait()
    redis = psutil.Process(server.identity)
    used, began = sum(redis.cpu_times()[:2]), time.perf_counter()
    barrier.wait()
    seconds, used = time.perf_counter() - began, sum(redis.cpu_times()[:2]) - used
    for process in started:
        process.join()
    return Handed(processes * count / seconds, 1000 * used / (processes * count))


def _begin(act: Callable[[str, int], None], url: str, count: int, barrier: Barrier) -> None:
    try:
        if act is publish:
            publish(url.removesuffix("/0") + "/1", 10)  # imports and connects, elsewhere
        barrier.wait()
        act(url, count)
        barrier.wait()
    except BaseException:
        barrier.abort()  # else all would wait for ever
        raise
