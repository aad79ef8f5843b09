"""A table in the width that there is: no word and no path is broken."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.table import CUT, Column, cut_path, drawn, text_width, wrapped

NOTE = "the root /mnt/very/long/path/to/the/archive/that/is/away was not reached; mount it"
RUNS = [
    Column("run", ("1", "12"), right=True),
    Column("state", ("finished", "interrupted")),
    Column("model", ("chest-cnn@1", "chest-cnn@1, shadow of 3")),
    Column("begun (UTC)", ("2026-11-30 20:24",) * 2),
    *(Column(name, ("171", "3"), right=True) for name in ("found", "done", "rejected", "dead", "skipped", "pending")),
    Column("note", ("", NOTE)),
]
DROP, BELOW = ("skipped", "model", "begun (UTC)"), ("note",)


def all_lines(columns: list[Column], width: int) -> list[str]:
    table = drawn(columns, width, DROP, BELOW)
    return [*table.head.split("\n"), *table.lines]


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_every_word_is_whole_and_no_line_is_wider(width: int) -> None:
    lines = all_lines(RUNS, width)
    assert max(map(text_width, lines)) <= width
    words = {word for column in RUNS for text in (column.name, *column.cells) for word in text.split()}
    for word in re.findall(r"[^\s─]+", "\n".join(lines)):
        assert word in words or word == "note:" or word.startswith(CUT), word


def test_a_note_stands_below_its_run_before_a_column_is_given_up() -> None:
    table = drawn(RUNS, 100, DROP, BELOW)
    assert table.dropped == []
    assert any("note: the root /mnt/very/long/path/to/the/archive/that/is/away" in line for line in table.lines)
    assert drawn(RUNS, 80, DROP, BELOW).dropped == ["skipped", "model"]
    assert drawn(RUNS, 60, DROP, BELOW).dropped == list(DROP)


def test_what_fits_in_no_way_is_stacked_whole() -> None:
    lines = all_lines(RUNS, 30)
    assert [line.split()[0] for line in lines if "interrupted" in line] == ["state"]
    assert "  skipped      3" in lines
    assert not any("171" in line and "finished" in line for line in lines)


def test_of_names_and_values_what_has_no_room_beside_stands_below() -> None:
    digest, why = "ab" * 32, "normal at 0.8170 reaches its threshold"
    columns = [Column("reading", ("why", "model digest", "worker")), Column("value", (why, digest, f"vm:{digest}"))]
    assert drawn(columns, 70).lines == [
        f"  why           {why}", "  model digest", f"    {digest}", "  worker", f"  vm:{digest}",
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "width", "shown"), [
    ("/archive/2024/171/film.png", 40, "/archive/2024/171/film.png"),
    ("/archive/2024/171/film.png", 18, "…/171/film.png"),
    ("/archive/2024/171/a-film-with-a-long-name.png", 20, "…with-a-long-name.png"[-20:]),
])  # fmt: skip
def test_a_path_keeps_its_end(path: str, width: int, shown: str) -> None:
    found = cut_path(path, width)
    assert text_width(found) <= width
    assert found.lstrip(CUT) == shown.lstrip(CUT) or path.endswith(found.lstrip(CUT))
    assert found.endswith(".png")


def test_a_path_with_spaces_is_one_word() -> None:
    assert (
        wrapped("/archive/Doe Jane/a film.png", 20) == ["…/Doe Jane/a film.png"[-20:]]
        or len(wrapped("/archive/Doe Jane/a film.png", 20)) == 1
    )
    assert wrapped("2026-11-30 20:24", 10) == ["2026-11-30 20:24"]


def test_east_asian_signs_take_two_places() -> None:
    table = drawn([Column("name", ("胸部", "x")), Column("n", ("1", "2"))], 80)
    assert [text_width(line) for line in table.lines[1:]] == [text_width(table.head)] * 2


@given(
    st.lists(st.lists(st.text("ab/ 1é胸", max_size=30), min_size=3, max_size=3), max_size=4),
    st.integers(20, 120),
)
def test_any_table_is_drawn_with_all_its_rows(rows: list[list[str]], width: int) -> None:
    columns = [Column(name, tuple(row[at] for row in rows)) for at, name in enumerate(("one", "two", "three"))]
    table = drawn(columns, width)
    assert table.dropped == []
    assert all(line == line.rstrip() for line in table.lines)
