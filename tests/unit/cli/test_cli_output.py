"""What people and programs see: escapes, the accounts' JSON, exit codes."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import threading
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from cli.accounts import run_exit_code
from cli.main import main
from cli.output import emit_csv, emit_json, printable, say
from schemas.reasons import Reason
from schemas.states import RunState
from wetread.clock import utc_text
from wetread.logs import set_up_logs
from wetread.path_text import path_text
from wetread.store.runs.accounts import RunAccount
from wetread.store.runs.failures import failure_rate
from wetread.views.accounts import account_json, account_pace

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = RunAccount(
    id=3, state=RunState.FINISHED, model="cnn@1", model_digest="a" * 64, engine="numpy", root_ids=(1,), force=False,
    shadow_of=None,
    created_at=BEGUN, walked_at=BEGUN, ended_at=BEGUN + timedelta(seconds=5), note=None, found=20, pending=0, done=5,
    rejected=12, dead=1, cancelled=0, skipped=2, labels={"normal": 5},
    rejected_reasons={
        "not_a_film": 2, "other_view": 4, "other_modality": 2, "other_body_part": 1, "no_decoder": 2, "truncated": 1
    },
    dead_reasons={"crashed": 1},
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


HOSTILE = "a\n\x1b[2J\x9bm\u202egnp.\u2066\U000e0041 \u00e9\u6771\U0001f600"


def test_json_is_the_same_value_and_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"path": HOSTILE})
    line = capsys.readouterr().out
    assert json.loads(line) == {"path": HOSTILE}
    assert line.removesuffix("\n").isprintable()
    assert "\u00e9\u6771\U0001f600" in line


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_a_formula_is_text_in_csv_and_numbers_stay_numbers(begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    formula = f'{begins}cmd|"/C calc",A1'
    emit_csv(("path", "probability"), [(formula, -0.5), ("plain=1", None), ("two\nlines", 3)])
    written = capsys.readouterr().out
    assert list(csv.reader(io.StringIO(written))) == [
        ["path", "probability"], ["'" + formula, "-0.5"], ["plain=1", ""], ["two\nlines", "3"],
    ]  # fmt: skip


@example(["\r", "a\rb", "\n", '"', ",", "=1\r\n"])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_no_cell_of_csv_begins_a_formula_and_each_can_be_read_back(texts: list[str]) -> None:
    with redirect_stdout(io.StringIO(newline="")) as written:
        emit_csv(["first"], [[text, 1] for text in texts])
    _, *rows = csv.reader(io.StringIO(written.getvalue(), newline=""))
    for text, (cell, number) in zip(texts, rows, strict=True):
        assert (cell.removeprefix("'") if text[:1] in "=+-@\t\r" else cell) == text
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert number == "1"


def test_lines_for_people_are_escaped_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("\nexpected a film, found \x1b[2J\u202egnp\nnext")
    assert capsys.readouterr().err == "\nexpected a film, found \\x1b[2J\\u202egnp\nnext\n"


def test_a_fault_that_names_what_was_typed_is_escaped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["screen", "no\x1b[2J\u202edir"], ["\x1b[2J\u202e"], ["status", "--\x1b[2J\u202e"]):
        monkeypatch.setattr("sys.argv", ["wetread", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.replace("\n", "").isprintable(), ascii(said.err)
        assert "Traceback" not in said.err
    left = {thread.name for thread in threading.enumerate()}
    assert "interrupts" not in left, "it would end the tests' own process at a later test's Ctrl-C: tests/conftest.py"


def test_a_log_line_is_escaped_on_a_terminal_and_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for terminal in (True, False):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        monkeypatch.setenv("NO_COLOR", "1")
        set_up_logs()
        structlog.get_logger().warning("a message was refused", why=HOSTILE)
        line = capsys.readouterr().err
        assert "a message was refused" in line
        colourless = re.sub(r"\x1b\[[0-9;]*m", "", line.removesuffix("\n"))
        assert colourless.isprintable(), ascii(line)
    structlog.reset_defaults()


def documented(page: str, heading: str) -> list[str]:
    """Return the keys that the table below this heading lists, without those that are there at times alone."""
    _, found, below = page.partition(f"\n### {heading}\n")
    assert found, heading
    rows = below.partition("\n#")[0].splitlines()
    return [line.split("`")[1] for line in rows if line.startswith("| `") and "alone |" not in line]


def test_the_account_has_the_documented_keys() -> None:
    rate, seconds = account_pace(ACCOUNT)
    body = account_json(ACCOUNT, images_per_second=rate, seconds=seconds)
    assert list(body) == [
        "run", "state", "model", "engine", "found", "done", "rejected", "dead", "cancelled", "skipped", "pending",
        "labels", "images_per_second", "seconds", "kind", "model_digest", "roots", "note", "begun_at", "walked_at",
        "ended_at", "uncertain", "rejected_reasons", "dead_reasons", "unreadable_directories", "passed_over", "exclude",
        "follow_links", "allow", "alarms",
    ]  # fmt: skip
    page = (Path(__file__).parents[3] / "docs" / "results.md").read_text()
    assert documented(page, "`status --json`") == list(body), "docs/results.md lists them in this order"
    assert [body[name] for name in ("begun_at", "walked_at")] == ["2026-01-01T00:00:00Z"] * 2
    assert utc_text(datetime(2026, 11, 30, 22, 0, 1, 5, tzinfo=UTC)) == "2026-11-30T22:00:01Z"
    assert (body["images_per_second"], body["seconds"]) == (3.6, 5.0)


def test_what_is_no_film_is_no_failure() -> None:
    assert failure_rate(ACCOUNT) == pytest.approx(0.2)
    alive = dataclasses.replace(ACCOUNT, dead=0, dead_reasons={}, done=ACCOUNT.done + ACCOUNT.dead)
    rate = failure_rate(alive)
    assert run_exit_code(alive, rate) == 0
    assert run_exit_code(alive, rate - 0.01) == 3


NOTHING = {"state": RunState.FINISHED, "found": 12, "pending": 0, "cancelled": 0, "dead": 0, "dead_reasons": {}}


@pytest.mark.parametrize(
    ("counts", "reasons", "code"),
    [
        ({"done": 0, "rejected": 12, "skipped": 0}, {Reason.UNDECODABLE: 12}, 3),
        ({"done": 0, "rejected": 12, "skipped": 0}, {Reason.NOT_A_FILM: 11, Reason.IO_ERROR: 1}, 3),
        ({"done": 0, "rejected": 12, "skipped": 0}, {Reason.NOT_A_FILM: 12}, 0),
        ({"done": 0, "rejected": 0, "skipped": 12}, {}, 0),
        ({"done": 0, "rejected": 1, "skipped": 11}, {Reason.UNDECODABLE: 1}, 3),
        ({"done": 0, "rejected": 1, "skipped": 11}, {Reason.PERMISSION: 1}, 0),
        ({"done": 1, "rejected": 11, "skipped": 0}, {Reason.UNDECODABLE: 11}, 0),
        ({"done": 11, "rejected": 0, "skipped": 0, "dead": 1}, {}, 3),
    ],
)
def test_a_run_that_read_nothing_or_has_a_dead_film_is_never_exit_0(
    counts: dict[str, int], reasons: dict[str, int], code: int
) -> None:
    account = dataclasses.replace(ACCOUNT, **{**NOTHING, **counts}, rejected_reasons=reasons)
    assert run_exit_code(account, 1.0) == code


@pytest.mark.parametrize(
    ("state", "code"),
    [(RunState.PAUSED, 4), (RunState.INTERRUPTED, 130), (RunState.CANCELLED, 1), (RunState.FAILED, 1)],
)
def test_a_run_that_did_not_finish_has_its_own_exit_code(state: RunState, code: int) -> None:
    assert run_exit_code(dataclasses.replace(ACCOUNT, state=state), 1.0) == code
