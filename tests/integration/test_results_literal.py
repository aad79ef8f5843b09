"""A filter's text is compared, never obeyed: whatever it holds, the rows are those that Python picks from all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from cli import results_export
from cli.main import wetread
from cli.output import csv_cell, json_text
from cli.result_rows import csv_lines, csv_row, json_lines
from schemas.errors import UsageError, WetreadError
from schemas.films import FilmHeader
from schemas.reasons import Reason
from schemas.tables import StoredHeader, StoredPrediction
from tests.integration.injections import INJECTIONS
from tests.screened import RunKit, done, rejected
from wetread.settings import load_settings
from wetread.store.core import database as store
from wetread.store.core import migrating
from wetread.store.results.blocks import find_result_blocks
from wetread.store.results.columns import ResultRow
from wetread.store.results.counts import failure_counts, label_counts
from wetread.store.results.finding import Filters, Sort, find_results
from wetread.views.results import result_json

STORED = [text for text in INJECTIONS if not text.startswith("/") and "\udce9" not in text]
"""What a database and a file system can hold: no lone half of a sign, and no absolute path under a root."""

FIELDS: dict[str, Callable[[ResultRow], str | None]] = {
    "label": lambda row: row.label,
    "decision": lambda row: row.decision,
    "state": lambda row: row.state,
    "sha256": lambda row: row.sha256,
    "model_digest": lambda row: row.model_digest,
    "study_uid": lambda row: row.study_uid,
    "series_uid": lambda row: row.series_uid,
}


@pytest.fixture
def filled(kit: RunKit) -> RunKit:
    """Images whose names, labels and decisions are the texts themselves, and some that are not read."""
    kit.batch_size = 1000
    names = [
        *(os.fsencode(text) for text in INJECTIONS if not text.startswith("/")),
        b"\xff\xff",
        b"normal",
        b"nor%al",
        b"a_b",
        b"axb",
        b"aXb/c",
    ]
    _, recorded = kit.filled(names)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    outcomes = []
    for item in held.items:
        text = os.fsdecode(item.path)
        if text in STORED:
            outcomes.append(done(item, label=text, decision=text, header=FilmHeader(text[:64], text[:64])))
        elif item.path == b"a_b":
            outcomes.append(rejected(item, Reason.TRUNCATED))
        else:
            outcomes.append(done(item))
    kit.settle(held, outcomes)
    return kit


def by_image(rows: Iterable[ResultRow]) -> list[ResultRow]:
    return sorted(rows, key=lambda row: row.image_id)


def found(kit: RunKit, filters: Filters) -> list[ResultRow]:
    with kit.database.reading() as session:
        return list(find_results(session, filters))


def test_every_text_filter_is_a_literal_match(filled: RunKit) -> None:
    with filled.database.reading() as session:
        every = list(find_results(session, Filters()))
        assert {row.label for row in every} >= set(STORED), "the texts are there to be found"
        for field, text in product(FIELDS, (*INJECTIONS, "normal", "done", "nul\0l")):
            wanted = [row for row in every if FIELDS[field](row) == text]
            filters = replace(Filters(), **{field: text})
            assert by_image(find_results(session, filters)) == wanted, (field, text)
            if field in ("label", "decision"):
                counted = sum(row.images for row in label_counts(session, filters))
                failed = sum(row.images for row in failure_counts(session, filters))
                assert counted + failed == len(wanted), (field, text)


def test_an_export_writes_what_a_list_shows(filled: RunKit) -> None:
    headers: Any = StoredHeader.__table__
    with filled.database.writing() as session:
        session.execute(headers.update().values(acquired_on=date(2011, 12, 30), pixel_spacing=[0.125, 0.143]))
        some = select(func.min(StoredPrediction.id)).scalar_subquery()
        whole = datetime(2026, 11, 28, 1, 2, 3, tzinfo=UTC)
        session.execute(StoredPrediction.__table__.update().where(StoredPrediction.id == some).values(read_at=whole))
    with filled.database.reading() as session:
        if filled.database.dialect == "postgresql":
            session.execute(text("SET LOCAL TIME ZONE 'Pacific/Apia'"))  # which had no such day
        rows = list(find_results(session, Filters(), sort=Sort.FOUND))
        blocks = list(find_result_blocks(session, Filters()))
    assert [line for block in blocks for line in json_lines(block)] == [json_text(result_json(row)) for row in rows]
    assert [line for block in blocks for line in csv_lines(block)] == [
        ",".join(map(csv_cell, csv_row(row))) for row in rows
    ]
    file = io.BytesIO()
    results_export.WRITERS["parquet"](blocks, file)
    table = pytest.importorskip("pyarrow.parquet").read_table(file).to_pydict()
    for name in ("acquired_on", "pixel_spacing", "read_at", "settled_at", "probability", "run"):
        assert table[name] == [getattr(row, name) for row in rows], name
    assert {row.pixel_spacing is None for row in rows} == {True, False}
    assert whole in {row.read_at for row in rows}


def begins(row: ResultRow, prefix: bytes) -> bool:
    return row.path.startswith(prefix if prefix.startswith(b"/") else b"/archive/" + prefix)


def test_every_path_is_a_literal_prefix(filled: RunKit) -> None:
    every = found(filled, Filters())
    prefixes = [os.fsencode(text) for text in INJECTIONS]
    prefixes += [b"/archive/" + prefix for prefix in prefixes]
    prefixes += [b"", b"/", b"/arch", b"/archive", b"/archive/", b"a_", b"a%", b"A", b"\xff", b"\xff\xff\xff", b"nul\0"]
    for prefix in prefixes:
        assert by_image(found(filled, Filters(path=prefix))) == [row for row in every if begins(row, prefix)], prefix


@settings(max_examples=100, deadline=None)
@given(prefix=st.lists(st.sampled_from(b"/archivenoml%_'\\\xff\xfe\x00*?[]"), max_size=12).map(bytes))
def test_any_path_is_a_literal_prefix(local: RunKit, prefix: bytes) -> None:
    every = found(local, Filters())
    assert every
    assert found(local, Filters(path=prefix)) == [row for row in every if begins(row, prefix)]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> RunKit:
    """Some names in SQLite, for a property that asks often."""
    database = store.Database(f"sqlite:///{tmp_path_factory.mktemp('literal') / 'results.db'}")
    migrating.ensure_schema(database)
    kit = RunKit(database, batch_size=1000)
    names = [b"a", b"a%", b"a_", b"ab", b"ar/c", b"A", b"\xff", b"\xff\xff", b"\xfe\xff/x", b"'", b"%", b"_", b"normal"]
    _, recorded = kit.filled(names)
    kit.settle_all(recorded)
    return kit


LISTS: list[tuple[str, ...]] = [
    ("results", "list", "--label"), ("results", "list", "--decision"), ("results", "list", "--path"),
    ("results", "list", "--model"), ("results", "list", "--state"), ("results", "list", "--since"),
    ("results", "list", "--until"), ("results", "list", "--run"), ("results", "list", "--min-probability"),
    ("results", "list", "--limit"), ("results", "list", "--format"), ("results", "summary", "--run"),
    ("results", "show", "--"),
    ("results", "list", "--study"), ("results", "list", "--series"), ("results", "delete", "--yes", "--study"),
    ("results", "delete", "--yes", "--patient-hash"), ("results", "delete", "--yes", "--sha256"),
    ("errors", "list", "--"), ("errors", "list", "--reason"), ("errors", "retry", "--"), ("runs", "list", "--limit"),
    ("runs", "cancel", "--"), ("runs", "resume", "--"), ("runs", "delete", "--yes", "--"), ("models", "show", "--"),
    ("models", "verify", "--"), ("status", "--"),
]  # fmt: skip


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_no_command_obeys_or_fails_over_what_is_typed(
    local: RunKit, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Opened once: a command is called some fifteen hundred times here.
    monkeypatch.setattr(local.database, "dispose", lambda: None)
    monkeypatch.setattr(store, "Database", lambda *_, **__: local.database)
    monkeypatch.setattr(migrating, "ensure_schema", lambda _: None)
    before = found(local, Filters())
    for typed in (*INJECTIONS, "9" * 30, "-1", "nan", "1e999", "0001-01-01"):
        ended = CliRunner().invoke(wetread, [*words, typed], standalone_mode=False)
        fault = ended.exception
        if fault is None:
            assert ended.return_value in (None, 0), ascii(typed)
            continue
        assert isinstance(fault, WetreadError | click.ClickException), f"{typed!a}: {fault!r}"
        assert fault.exit_code == 2, ascii(typed)
    assert found(local, Filters()) == before


def test_what_was_typed_is_what_is_listed(local: RunKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WETREAD_DATABASE_URL", local.database.url)
    load_settings.cache_clear()
    for prefix, count in (("%", 1), ("_", 1), ("a", 5), ("a_", 1), ("'", 1)):
        arguments: list[Any] = ["results", "list", "--path", prefix, "--format", "csv"]
        ended = CliRunner().invoke(wetread, arguments, standalone_mode=False)
        assert len(ended.stdout.splitlines()) == 1 + count, prefix
    nothing = CliRunner().invoke(wetread, ["results", "list", "--path", "*"], standalone_mode=False)
    assert isinstance(nothing.exception, UsageError), "a star is a star, and nothing begins with one"
