"""What the harness writes down: rows that replace those of the same fault, and tests that need not run again."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.chaos.table import BEGIN, END, RELIABILITY, Row, rows_of, table
from tests.chaos.taking_up import still_due


def row(fault: str, gave: str, number: str = "1") -> Row:
    return {
        "number": number, "way": "served", "form": "full", "fault": fault, "gave": gave, "seconds": "3", "day": "today"
    }  # fmt: skip


def test_a_new_row_replaces_the_same_fault_with_other_counts_and_leaves_the_others() -> None:
    old = [row("kill -9, 20 times", "1,000 done"), row("Redis stopped", "10 done", number="3")]
    new = row("kill -9, 50 times", "100,000 done")
    assert rows_of(table([*old, new])) == [new, old[1]]


def test_the_table_of_the_docs_is_one_that_the_harness_writes() -> None:
    there = RELIABILITY.read_text().split(BEGIN)[1].split(END)[0].strip("\n") + "\n"
    assert table(rows_of(there)) == there


def test_what_passed_with_this_program_is_not_run_again(tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_text(
        json.dumps({"passed": "test_a", "program": "now"})
        + "\n"
        + json.dumps({"passed": "test_b", "program": "an earlier one"})
        + "\n"
        + json.dumps(row("a fault", "some"))
        + "\n"
    )
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in ("test_a", "test_b", "test_c")]
    due, done = still_due(items, record, "now")
    assert [item.nodeid for item in due] == ["test_b", "test_c"]
    assert [item.nodeid for item in done] == ["test_a"]


def test_without_a_record_everything_is_due(tmp_path: Path) -> None:
    items: list[Any] = [SimpleNamespace(nodeid="test_a")]
    assert still_due(items, tmp_path / "none", "now") == (items, [])
