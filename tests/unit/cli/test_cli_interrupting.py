"""Ctrl-C and SIGTERM: the first is noted, one that comes with it is the same, and a later one ends at once."""

from __future__ import annotations

import signal

import pytest

from cli.interrupting import NUDGE, ONE_PRESS_SECONDS, noted_interrupts


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_twice_at_once_as_from_timeout_is_one(one: signal.Signals) -> None:
    now = 100.0
    before = signal.getsignal(one)
    with noted_interrupts(lambda: now) as asked:
        assert not asked.is_set()
        signal.raise_signal(one)
        signal.raise_signal(one)
        assert asked.is_set()
        now += ONE_PRESS_SECONDS + 0.1
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(one)
    assert signal.getsignal(one) == before


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noted_interrupts() as asked:
            signal.raise_signal(signal.SIGINT)
            assert not asked.is_set()
    finally:
        signal.signal(signal.SIGINT, before)


def test_who_stands_in_a_call_is_nudged_and_who_has_looked_is_not() -> None:
    with noted_interrupts() as asked:
        signal.raise_signal(NUDGE)  # nobody asked yet
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(NUDGE)
        assert asked.is_set()
        signal.raise_signal(NUDGE)
