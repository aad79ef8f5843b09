"""What is asked of many readings is answered from an index: by each filter alone, in each order, page after page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import event, select, text

from benchmarks.generated import MODEL, fill
from cli.results import SORTS
from schemas.tables import WorkItem
from tests.servers.postgres_server import PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.results.counts import By, run_counts
from wetread.store.results.finding import FOR_A_PAGE, Filters, Position, Sort, find_results
from wetread.store.runs.accounts import run_account

IMAGES = 30_000
PAGE = 101
DAY, SIDE = "acquired_on = '2026-11-29'", "view = 'LL'"
AT = datetime.fromtimestamp(1700000300, UTC)

ALONE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "run": {"run": 1},
    "a night": {"run": 3},
    "model": {"model_digest": MODEL},
    "label": {"label": "covid"},
    "no such label": {"label": "x"},
    "decision": {"decision": "uncertain"},
    "done": {"state": "done"},
    "rejected": {"state": "rejected"},
    "dead": {"state": "dead"},
    "reason": {"reason": "truncated"},
    "least": {"min_probability": 0.9},
    "most": {"max_probability": 0.4},
    "since": {"since": AT},
    "until": {"until": AT},
    "path": {"path": b"/archive/ward/"},
    "deep path": {"path": b"/archive/ct/2000/020/"},
    "relative path": {"path": b"chest/2000/001"},
    "study": {"study_uid": "1.2.840.3"},
    "series": {"series_uid": "1.2.840.3.0"},
    "patient": {"patient_hash": "c" * 64},
    "view": {"view": "LL"},
    "modality": {"modality": "DX"},
    "day": {"acquired_since": date(2026, 11, 29), "acquired_until": date(2026, 11, 30)},
    "a patient's day": {"patient_hash": "c" * 64, "acquired_since": date(2026, 11, 1), "view": "PA"},
}
OF_HEADERS = ("study", "series", "patient", "view", "modality", "day", "a patient's day")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """30,000 images, filled once."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('many') / 'results.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database("many")
    database = Database(url)
    ensure_schema(database)
    fill(database, IMAGES)
    of_patient = f"patient_hash = '{'c' * 64}'"
    with database.writing() as session:
        for films, values in (("300 = 1", of_patient), ("700 = 1", DAY), ("300 = 101", SIDE)):
            session.execute(text(f"UPDATE film_headers SET {values} WHERE id % {films}"))  # noqa: S608 - our own words
    yield database
    database.dispose()


class Asked:
    """The statements that a session sends, and how the database answers them."""

    def __init__(self, database: Database) -> None:
        self.statements: list[tuple[str, Any]] = []
        self._database = database

    def __enter__(self) -> Self:
        event.listen(self._database._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._database._engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        self.statements.append((statement, parameters))

    def plans(self) -> list[str]:
        """Return the plan of each statement over a table that grows."""
        explain = "EXPLAIN QUERY PLAN " if self._database.dialect == "sqlite" else "EXPLAIN "
        asked = [
            one for one in self.statements if "work_items" in one[0] or "images" in one[0] or "predictions" in one[0]
        ]
        found = []
        with self._database.connecting() as connection:
            for statement, parameters in asked:
                if self._database.dialect == "postgresql":
                    connection.execute(text(FOR_A_PAGE))
                rows = connection.exec_driver_sql(explain + statement, parameters).all()
                found.append("\n".join(str(row[-1]) for row in rows))
        return found


def full_scans(plan: str) -> list[str]:
    """Return the lines of a plan that read a whole table, or sort many rows. An index walked in order has an end."""
    lines = [line.strip() for line in plan.splitlines()]
    bad = [line for line in lines if line.startswith("SCAN ") and "USING" not in line and "film_headers" not in line]
    bad = [line for line in bad if line.split()[1] in ("work_items", "images", "predictions")]
    bad += [line for line in lines if line.startswith("USE TEMP B-TREE FOR ORDER BY")]
    return bad + [line for line in lines if "Seq Scan on" in line and line.split(" on ")[1].split()[0] in BIG]


BIG = ("work_items", "images", "predictions")


def page(database: Database, filters: Filters, **how: Any) -> list[Any]:
    with database.reading() as session:
        return list(find_results(session, filters, limit=how.pop("limit", PAGE), **how))


@pytest.mark.parametrize("name", ALONE)
def test_one_filter_is_answered_from_its_index(many: Database, name: str) -> None:
    filters = Filters(**ALONE[name])
    with Asked(many) as asked:
        rows = page(many, filters)
    assert bool(rows) == (name != "no such label")
    assert len(asked.statements) <= 8, "roots, models, and the page"
    for plan in asked.plans():
        if name in OF_HEADERS:
            plan = plan.replace("USE TEMP B-TREE FOR ORDER BY", "")  # a study's few films
        assert full_scans(plan) == [], plan


@pytest.mark.parametrize("sort", Sort)
def test_each_order_is_walked_in_its_index(many: Database, sort: Sort) -> None:
    with Asked(many) as asked:
        rows = page(many, Filters(), sort=sort)
    assert len(rows) == PAGE
    for plan in asked.plans():
        assert full_scans(plan) == [], plan


@pytest.mark.parametrize("name", [name for name in ALONE if name != "no such label"])
def test_pages_hold_what_one_list_holds_and_begin_in_the_index(many: Database, name: str) -> None:
    filters, after, pages = Filters(**ALONE[name]), None, []
    for _ in range(4):
        with Asked(many) as asked:
            rows = page(many, filters, after=after, limit=7)
        if not rows:
            break
        pages += rows
        after = Position.of(rows[-1])
        skips = [parameters for statement, parameters in asked.statements if "OFFSET" in statement]
        assert all(parameters[-1] == 0 for parameters in skips), "SQLite's dialect writes LIMIT n OFFSET 0"
        for plan in asked.plans():
            if name in OF_HEADERS:
                plan = plan.replace("USE TEMP B-TREE FOR ORDER BY", "")
            assert full_scans(plan) == [], plan
    assert pages == page(many, filters, limit=28)


@pytest.mark.parametrize("sort", Sort)
def test_pages_of_each_order_go_on_where_they_ended(many: Database, sort: Sort) -> None:
    first = page(many, Filters(path=b"/archive/ct/2000/0"), sort=sort, limit=30)
    begun = page(many, Filters(path=b"/archive/ct/2000/0"), sort=sort, limit=12)
    again = page(many, Filters(path=b"/archive/ct/2000/0"), sort=sort, limit=18, after=Position.of(begun[-1]))
    assert begun + again == first


@pytest.mark.parametrize("few", [20_000, 3])
def test_films_of_few_and_of_many_headers_are_found_alike(
    many: Database, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.store.results.plan.FEW", few)
    for name in OF_HEADERS[2:]:
        filters = Filters(**ALONE[name])
        with Asked(many) as asked:
            rows = page(many, filters, limit=20)
        assert rows, name
        assert [row.image_id for row in rows] == sorted(row.image_id for row in rows)
        for row in rows:
            assert filters.patient_hash in (None, row.patient_hash)
            assert filters.view in (None, row.view)
            assert filters.modality in (None, row.modality)
            assert filters.acquired_since is None or row.acquired_on >= filters.acquired_since
            assert filters.acquired_until is None or row.acquired_on < filters.acquired_until
        plans = [plan for plan in asked.plans() if "TEMP B-TREE" in plan or "Sort" in plan]
        assert bool(plans) == (few > 3) or many.dialect == "postgresql", "many are walked in order, not sorted"


@pytest.mark.parametrize("filters", [
    Filters(run=3, label="covid"), Filters(path=b"/archive/ward/2000/007/", label="covid"),
    Filters(since=AT, label="covid", min_probability=0.9), Filters(run=1, reason="not_a_film", path=b"/archive/ct"),
    Filters(study_uid="1.2.840.3", state="done"), Filters(model_digest=MODEL, until=AT, decision="uncertain"),
], ids=str)  # fmt: skip
def test_filters_together_let_through_what_each_does(many: Database, filters: Filters) -> None:
    found = page(many, filters, limit=None)
    assert found
    assert found == page(many, filters, limit=len(found))
    for row in found:
        assert filters.label in (None, row.label)
        assert filters.run in (None, row.run)
        assert filters.reason in (None, row.reason)
        assert filters.decision in (None, row.decision)
        assert row.path.startswith(filters.path or b"")
        assert (row.probability or 0) >= (filters.min_probability or 0)
        assert filters.since is None or row.settled_at >= filters.since
        assert filters.until is None or row.settled_at < filters.until


def test_runs_are_counted_from_their_counters(many: Database) -> None:
    with Asked(many) as asked, many.reading() as session:
        labels, failures = run_counts(session, Filters(run=1), By.LABEL)
        account = run_account(session, 1)
        run_counts(session, Filters(), By.RUN)
    assert sum(row.images for row in labels) == account.done
    assert sum(row.images for row in failures) == account.rejected + account.dead
    assert len(asked.statements) <= 7
    assert asked.plans() == [], "no table that grows with the archive is read"


def test_what_producer_and_worker_ask_of_current_readings_uses_their_index(many: Database) -> None:
    with Asked(many) as asked, many.reading() as session:
        found = select(WorkItem.state).where(
            WorkItem.image_id.in_([5, 6]), WorkItem.model_digest == MODEL, WorkItem.current
        )
        assert len(session.scalars(found).all()) == 2
    (plan,) = asked.plans()
    assert "uq_work_items_current" in plan, plan


def test_the_command_offers_the_orders_that_there_are(tmp_path: Path) -> None:
    assert tuple(SORTS) == tuple(str(sort) for sort in Sort)
