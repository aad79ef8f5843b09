"""What a watch says: where it begins, and once that all is read; nothing again until something changes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import watch_progress
from cli.watch_progress import WatchProgress
from schemas.states import RunKind, RunState
from screening.watch_order import WatchOrder
from wetread.store.runs.accounts import RunAccount

RUN = RunAccount(
    3, RunState.RUNNING, "tiny@1", "d" * 64, "numpy", None, (1,), False, datetime(2026, 1, 1, tzinfo=UTC), None, None,
    None, found=7, pending=0, done=6, rejected=1, dead=0, cancelled=0, skipped=0, kind=RunKind.WATCH,
)  # fmt: skip


def test_one_quiet_line_says_that_all_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(watch_progress.time, "monotonic", lambda: now)
    order = WatchOrder({1: bytes(tmp_path)}, lambda: ("d" * 64, None), "numpy", 1, 1.0, 1.0, 300.0, True)
    progress = WatchProgress(order, f"sqlite:///{tmp_path}/results.db")
    progress.begin()
    begun = capsys.readouterr().err
    assert str(tmp_path) in begun and "results.db" in begun and "every 300 s" in begun and "SIGTERM" in begun
    with progress:
        for now in range(101, 4000):  # noqa: B007 - the clock that is read above
            progress(RUN)
        assert capsys.readouterr().err == "run 3: all 7 found are dealt with; waits for new films\n"
        progress(dataclasses.replace(RUN, found=8, pending=1))
        assert "still walking" not in capsys.readouterr().err
        for now in range(4000, 5000):  # noqa: B007 - the same
            progress(dataclasses.replace(RUN, found=8, done=7))
        assert capsys.readouterr().err == "run 3: all 8 found are dealt with; waits for new films\n"
