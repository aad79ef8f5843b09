"""The one table of a result's columns, and the row that is made of it."""

from __future__ import annotations

from schemas.tables import Base
from wetread.store.results.columns import COLUMNS, EXPORTED, RESULT_COLUMNS, ResultRow
from wetread.views.results import result_json


def test_a_row_has_a_value_for_each_column_in_the_table_s_order() -> None:
    assert ResultRow._fields == tuple(column.name for column in RESULT_COLUMNS)
    assert RESULT_COLUMNS[: len(EXPORTED)] == EXPORTED, "what is exported comes first"


def test_every_column_is_read_from_one_that_the_database_has() -> None:
    tables = Base.metadata.tables
    assert all(name in tables[table].c for table, name in (column.source.split(".") for column in RESULT_COLUMNS))


def test_json_has_the_exported_columns_alone_and_no_empty_note() -> None:
    row = ResultRow._make(b"/a" if name == "path" else None for name in ResultRow._fields)._replace(display_note="")
    shown = result_json(row)
    assert tuple(shown) == COLUMNS
    assert {name for name, value in shown.items() if value is not None} == {"path"}
