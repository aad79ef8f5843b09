"""What people and programs see: escapes, the accounts' JSON, exit codes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.accounts import account_json, account_pace, failure_rate, run_exit_code
from cli.output import path_text, printable
from schemas.states import RunState
from wetread.store.accounts import RunAccount

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = RunAccount(
    id=3, state=RunState.FINISHED, model="cnn@1", model_digest="a" * 64, engine="numpy", root_ids=(1,), force=False,
    created_at=BEGUN, walked_at=BEGUN, ended_at=BEGUN + timedelta(seconds=5), note=None, found=10, pending=0, done=5,
    rejected=3, dead=1, cancelled=0, skipped=1, labels={"normal": 5},
    rejected_reasons={"not_a_film": 2, "truncated": 1}, dead_reasons={"crashed": 1},
)  # fmt: skip


@given(st.text())
def test_no_text_reaches_a_terminal_that_it_would_obey(text: str) -> None:
    assert printable(text).isprintable()


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("caf\u00e9 \u6771\u4eac", "caf\u00e9 \u6771\u4eac"),
        (0.123456, "0.1235"),
        (None, ""),
    ],
)
def test_controls_and_marks_of_direction_are_escaped(given_: object, shown: str) -> None:
    assert printable(given_) == shown


@given(st.binary())
def test_a_path_becomes_text_that_can_be_written(path: bytes) -> None:
    path_text(path).encode("utf-8")


def test_bytes_that_are_not_text_are_percent_escaped() -> None:
    assert path_text(b"/a/caf\xe9.png") == "/a/caf%E9.png"
    assert path_text("/a/café.png".encode()) == "/a/café.png"


def test_the_account_has_the_documented_keys() -> None:
    rate, seconds = account_pace(ACCOUNT)
    body = account_json(ACCOUNT, images_per_second=rate, seconds=seconds)
    assert list(body) == [
        "run", "state", "model", "engine", "found", "done", "rejected", "dead", "cancelled", "skipped", "pending",
        "labels", "images_per_second", "seconds",
    ]  # fmt: skip
    assert (body["images_per_second"], body["seconds"]) == (1.8, 5.0)


def test_what_is_no_film_is_no_failure() -> None:
    assert failure_rate(ACCOUNT) == pytest.approx(0.2)
    assert run_exit_code(ACCOUNT, 0.2) == 0
    assert run_exit_code(ACCOUNT, 0.19) == 3


@pytest.mark.parametrize(
    ("state", "code"),
    [(RunState.PAUSED, 4), (RunState.INTERRUPTED, 130), (RunState.CANCELLED, 1), (RunState.FAILED, 1)],
)
def test_a_run_that_did_not_finish_has_its_own_exit_code(state: RunState, code: int) -> None:
    assert run_exit_code(dataclasses.replace(ACCOUNT, state=state), 1.0) == code
