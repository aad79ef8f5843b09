"""Discrete events: what queueing theory knows comes out of them."""

from __future__ import annotations

import random

import pytest

from benchmarks.events import Clock, Resource, Steps


def test_what_happens_at_one_moment_happens_in_the_order_it_was_asked_for() -> None:
    clock, said = Clock(), list[tuple[float, str]]()

    def speak(name: str, after: float) -> Steps:
        yield after
        said.append((clock.now, name))

    for name, after in (("last", 3.0), ("first", 1.0), ("second", 1.0)):
        clock.start(speak(name, after))
    clock.run()
    assert said == [(1.0, "first"), (1.0, "second"), (3.0, "last")]


def test_a_clock_stops_at_the_moment_that_it_is_told() -> None:
    clock = Clock()

    def tick() -> Steps:
        while True:
            yield 1.0

    clock.start(tick())
    clock.run(until=2.5)
    assert clock.now == 2.5


def test_a_process_waits_for_another_whether_it_runs_or_has_ended() -> None:
    clock, ends = Clock(), list[float]()

    def sleep() -> Steps:
        yield 2.0

    def wait() -> Steps:
        sleeper = clock.start(sleep())
        yield sleeper
        ends.append(clock.now)
        yield 1.0
        yield sleeper
        ends.append(clock.now)

    clock.start(wait())
    clock.run()
    assert ends == [2.0, 3.0]


def test_who_came_first_has_a_resource_first() -> None:
    clock = Clock()
    counter, said = Resource(clock, 2), list[tuple[float, int]]()

    def buy(number: int) -> Steps:
        yield counter
        yield 1.0
        counter.free()
        said.append((clock.now, number))

    for number in range(5):
        clock.start(buy(number))
    clock.run()
    assert said == [(1.0, 0), (1.0, 1), (2.0, 2), (2.0, 3), (3.0, 4)]
    assert counter.utilisation(clock.now) == pytest.approx(5 / 6)
    assert counter.queue_length(clock.now) == pytest.approx((3 + 1) / 3)


def test_making_more_of_a_resource_lets_those_go_on_who_wait() -> None:
    clock = Clock()
    messages, taken = Resource(clock, 0), list[float]()

    def take() -> Steps:
        yield messages
        taken.append(clock.now)

    def ring() -> Steps:
        yield 5.0
        messages.add(2)

    for _ in range(3):
        clock.start(take())
    clock.start(ring())
    clock.run()
    assert taken == [5.0, 5.0]
    assert messages.had == 2


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_a_queue_with_one_server_waits_as_pollaczek_and_khinchine_say(busy: float) -> None:
    """M/D/1: the mean wait is busy / (2 (1 - busy)) services, and as many wait as arrive in that time (Little)."""
    clock, draw, waits = Clock(), random.Random(1), list[float]()  # noqa: S311 - a draw, no secret
    server = Resource(clock, 1)

    def customer() -> Steps:
        came = clock.now
        yield server
        waits.append(clock.now - came)
        yield 1.0
        server.free()

    def arrivals() -> Steps:
        for _ in range(40_000):
            yield draw.expovariate(busy)
            clock.start(customer())

    clock.start(arrivals())
    clock.run()
    mean = sum(waits) / len(waits)
    assert mean == pytest.approx(busy / (2 * (1 - busy)), rel=0.05)
    assert server.utilisation(clock.now) == pytest.approx(busy, rel=0.02)
    assert server.queue_length(clock.now) == pytest.approx(len(waits) / clock.now * mean, rel=1e-9)
