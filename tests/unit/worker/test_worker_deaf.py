"""When a long-running worker restarts itself: messages wait, and none reached it for longer than can be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.errors import ServiceUnavailable
from wetread.queue import START_SECONDS, batch_seconds
from wetread.settings import Settings
from worker import deaf_restart
from worker.deaf_restart import DEAF_SECONDS, Hearing

A_BATCH = batch_seconds(Settings()) + START_SECONDS
"""How long a process may take to start, and then for its batch."""


@dataclass
class Worker:
    """A worker whose broker, tasks and clock a test sets."""

    waiting: int = 1
    restarts: int = 0
    away: bool = False
    now: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        unused: Any = None
        self.hearing = Hearing(unused, unused, Settings(), self.restart)

    def restart(self) -> None:
        self.restarts += 1

    def queue_length(self, *_: object) -> int:
        if self.away:
            raise ServiceUnavailable("no broker")
        return self.waiting

    def restarted(self, after: float) -> bool:
        """Look, so many seconds after the last message came."""
        before = self.restarts
        self.hearing.restart_if_deaf(self.now + after)
        return self.restarts > before


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(deaf_restart, "queue_length", made.queue_length)
    monkeypatch.setattr(deaf_restart, "ring_waiting", lambda *_: 0)
    monkeypatch.setattr(deaf_restart.time, "monotonic", lambda: made.now)
    for busy in ("active_requests", "reserved_requests"):
        monkeypatch.setattr(deaf_restart, busy, set())
    made.hearing.hear()
    return made


def test_it_restarts_once_it_has_heard_nothing_for_longer_than_it_may(worker: Worker) -> None:
    assert not worker.restarted(0.0)
    assert not worker.restarted(DEAF_SECONDS)
    assert worker.restarted(DEAF_SECONDS + 0.1)


def test_a_message_begins_the_time_anew(worker: Worker) -> None:
    worker.now += DEAF_SECONDS
    worker.hearing.hear()
    assert not worker.restarted(DEAF_SECONDS)


def test_where_nothing_waits_there_is_nothing_to_hear(worker: Worker) -> None:
    worker.waiting = 0
    assert not worker.restarted(10 * DEAF_SECONDS)
    worker.waiting = 1
    assert not worker.restarted(11 * DEAF_SECONDS), "the message came after that look"
    assert worker.restarted(11 * DEAF_SECONDS + 0.1)


@pytest.mark.parametrize("busy", ["active_requests", "reserved_requests"])
def test_a_batch_in_hand_is_given_the_time_that_it_may_take(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, busy: str
) -> None:
    monkeypatch.setattr(deaf_restart, busy, {"a batch"})
    assert not worker.restarted(DEAF_SECONDS + A_BATCH)
    assert worker.restarted(DEAF_SECONDS + A_BATCH + 0.1)


def test_one_that_was_told_to_end_does_not_begin_anew(worker: Worker) -> None:
    worker.hearing.stopped.set()
    assert not worker.restarted(10 * DEAF_SECONDS)


def test_it_hears_from_the_moment_that_it_is_ready(worker: Worker) -> None:
    worker.now += 10 * DEAF_SECONDS
    worker.hearing.look()
    assert worker.restarts == 0, "it still starts"
    worker.hearing.hear_from_now()
    worker.now += DEAF_SECONDS + 0.1
    worker.hearing.look()
    assert worker.restarts == 1


def test_while_the_broker_is_away_nothing_can_be_heard(worker: Worker) -> None:
    worker.hearing.hear_from_now()
    worker.now += 10 * DEAF_SECONDS
    worker.away = True
    with pytest.raises(ServiceUnavailable):
        worker.hearing.look()
    worker.away = False
    worker.hearing.look()
    assert worker.restarts == 0, "it has had no time to hear"
    worker.now += DEAF_SECONDS + 0.1
    worker.hearing.look()
    assert worker.restarts == 1
