"""A file server that hangs while it is walked, or asked one thing."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from producer import time_limited_calls
from producer.passed_over import PassedOver
from producer.time_limited_calls import TOGETHER, answered, answered_walk
from producer.walk import walk
from schemas.errors import RootSilent, RootUnavailable
from tests.program import eventually


def test_what_is_asked_is_answered_raised_or_silent() -> None:
    def refuse() -> None:
        raise RootUnavailable("gone")

    never = threading.Event()
    assert answered(lambda: 7, 20.0) == 7
    with pytest.raises(RootUnavailable, match="gone"):
        answered(refuse, 20.0)
    began = time.monotonic()
    with pytest.raises(RootSilent, match="expected the archive's file server to answer within"):
        answered(never.wait, 0.1)
    never.set()
    assert time.monotonic() - began < 10


def test_a_walk_finds_the_same_files_in_the_same_order(tmp_path: Path) -> None:
    for number in range(TOGETHER + 10):
        (tmp_path / f"{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"{number % 3}" / f"{number}.png").write_bytes(b"x")
    (tmp_path / "link").symlink_to("0")
    root, plain, counted = bytes(tmp_path), PassedOver(), PassedOver()
    assert list(answered_walk(partial(walk, root, counted), 20.0)) == list(walk(root, plain))
    assert counted.kinds == plain.kinds == {"link": 1}
    with pytest.raises(RootUnavailable):
        list(answered_walk(partial(walk, root + b"/none", counted), 20.0))


def test_a_walk_that_hangs_is_silent_but_not_while_nobody_takes_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(time_limited_calls, "TOGETHER", 1)

    def hanging(moved: Any) -> Any:
        for number in range(40):
            moved()
            yield number
        never.wait()

    found = answered_walk(hanging, 0.4)
    assert next(found) == 0
    time.sleep(1.0)  # whoever records is slow: the walk waits, and is no worse for it
    got: list[Any] = []
    with pytest.raises(RootSilent):
        got.extend(found)
    never.set()


def test_a_walk_that_nobody_wants_any_more_ends(tmp_path: Path) -> None:
    stop, walking = threading.Event(), [thread.name for thread in threading.enumerate()].count("walk")
    for number in range(3000):
        (tmp_path / f"{number}").write_bytes(b"")
    walk_on = answered_walk(partial(walk, bytes(tmp_path), PassedOver()), 20.0, stop)
    next(walk_on)
    stop.set()
    assert len(list(walk_on)) < 2999
    eventually(
        lambda: [thread.name for thread in threading.enumerate()].count("walk") == walking, what="the thread's end"
    )
