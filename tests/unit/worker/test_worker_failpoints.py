"""Faults on purpose: off unless asked for, as often as asked for, and refused where they are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import UsageError
from worker import failpoints


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was done, instead of doing it."""
    deeds: list[str] = []
    monkeypatch.setattr(failpoints, "DEEDS", {name: lambda name=name: deeds.append(name) for name in failpoints.DEEDS})
    failpoints.armed.cache_clear()
    yield deeds
    failpoints.armed.cache_clear()


def test_nothing_happens_unless_asked_for(done: list[str]) -> None:
    for point in failpoints.POINTS:
        failpoints.reach(point)
    assert done == []


def test_a_fault_happens_at_its_point_and_for_its_film_alone(monkeypatch: pytest.MonkeyPatch, done: list[str]) -> None:
    monkeypatch.setenv("WETREAD_FAILPOINT", "decode=abc:hang,read:kill")
    for point, key in (("claimed", ""), ("decode", "abd"), ("decode", "abc"), ("decode", "abc"), ("read", "")):
        failpoints.reach(point, key)
    assert done == ["hang", "hang", "kill"]


def test_a_fault_happens_so_often_across_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, done: list[str]
) -> None:
    monkeypatch.setenv("WETREAD_FAILPOINT", "read:kill:2")
    monkeypatch.setenv("WETREAD_FAILPOINT_COUNTS", str(tmp_path))
    failpoints.reach("read")
    failpoints.armed.cache_clear()  # as a process that took the killed one's place
    for _ in range(3):
        failpoints.reach("read")
    assert done == ["kill", "kill"]


@pytest.mark.parametrize("value", ["read", "read:", "nowhere:kill", "read:dance", "read:kill:often", "read:kill:2"])
def test_a_fault_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, done: list[str], value: str) -> None:
    monkeypatch.setenv("WETREAD_FAILPOINT", value)
    with pytest.raises(UsageError, match="WETREAD_FAILPOINT"):
        failpoints.armed()
