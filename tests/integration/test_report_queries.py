"""What the report asks of both databases: spreads, earlier runs, the films to look at; few queries for any run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select, update

from schemas.errors import UsageError
from schemas.states import RunKind
from schemas.tables import Run, WorkItem
from tests.program import REPOSITORY
from tests.screened import RunKit, done
from wetread.report.body import report_body
from wetread.report.morning import ReportLimits, morning_report
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.results.films_to_review import most_probable, nearest_to_threshold
from wetread.store.results.histograms import Measure, spreads_of
from wetread.store.runs.earlier import earlier_runs
from wetread.store.work.outcomes import Outcome


@contextmanager
def counted() -> Iterator[list[str]]:
    said: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def screened(kit: RunKit, names: Sequence[bytes], probabilities: Sequence[float], *, unsure: float = 0.5) -> int:
    """Screen films whose covid has these probabilities; films of equal probability have equal bytes."""
    run, recorded = kit.filled(names)
    for batch in recorded.batch_ids:
        held = kit.claim(batch)
        assert held is not None
        outcomes: list[Outcome] = []
        for item in held.items:
            p = probabilities[names.index(item.path)]
            one = done(item, label="covid", decision="covid" if p >= unsure else "uncertain")
            assert one.prediction is not None
            sha256 = f"{int(p * 1e6):064d}"
            reading = replace(
                one.prediction, sha256=sha256, probability=p, probabilities=(p, 1 - p, 0.0), grey_mean=255 * p
            )
            outcomes.append(replace(one, sha256=sha256, prediction=reading))
        kit.settle(held, outcomes)
    return run


def test_a_spread_is_counted_by_bins_the_run_and_those_before_apart(kit: RunKit) -> None:
    first = screened(kit, [b"a", b"b", b"c"], [0.0, 0.5004, 1.0])
    second = screened(kit, [b"d", b"e"], [0.9996, 0.2509])
    with kit.database.reading() as session:
        measures = [
            Measure("covid", 0.0, 1.0, label=0),
            Measure("grey", 0.0, 255.0, "grey_mean"),
            Measure("narrow", 1.0, 2.0, "grey_mean"),
            Measure("gate", -1.0, 1.0, "gate_score"),
        ]
        with counted() as said:
            label, grey, narrow, gate = spreads_of(session, measures, second, [first])
    assert sum("work_items" in one for one in said) == 1, "however many figures, the films are looked at once"
    assert label.run == {999: 1, 250: 1}, "rounded down"
    assert label.earlier == {0: 1, 500: 1, 999: 1}
    assert (grey.run, grey.earlier) == (label.run, label.earlier)
    assert narrow.earlier == {0: 1, 999: 2}, "what lies outside is in the first or last bin"
    assert (gate.run, gate.earlier) == ({}, {}), "without a gate there is nothing to count"


def test_earlier_runs_are_those_that_read_something(kit: RunKit) -> None:
    first = screened(kit, [b"a", b"b"], [0.9, 0.4])
    kit.filled([b"a"])  # everything of it was read before
    third = screened(kit, [b"c"], [0.8])
    with kit.database.reading() as session:
        (one,) = earlier_runs(session, kit.account(third))
    assert (one.id, one.done, one.labels, one.uncertain) == (first, 2, {"covid": 2}, {"covid": 1})


def test_the_most_probable_come_first_and_equal_bytes_once(kit: RunKit) -> None:
    run = screened(kit, [b"a", b"b", b"c", b"d", b"e"], [0.7, 0.9, 0.9, 0.45, 0.49])
    with kit.database.reading() as session:
        first = most_probable(session, run, ["covid"], limit=2)
        near = nearest_to_threshold(session, run, ["covid"], {"covid": 0.5}, limit=5)
        none = most_probable(session, run, ["normal"], limit=2)
    assert [(film.path, film.files) for film in first] == [(b"/archive/b", 2), (b"/archive/a", 1)]
    assert [film.path for film in near] == [b"/archive/e", b"/archive/d"]
    assert none == []


def test_the_queries_of_a_report_do_not_grow_with_the_run(kit: RunKit, database: Database) -> None:
    settings, limits = Settings(), ReportLimits(0.05, 0.25)
    screened(kit, [b"a"], [0.9])
    counts = []
    for films in (1, 90):
        names = [b"%d-%d" % (films, number) for number in range(films)]
        screened(kit, names, [0.5 + number / 200 for number in range(films)])
        with counted() as said:
            report = morning_report(database, settings, None, limits)
        counts.append(len(said))
    assert counts[0] == counts[1] < 25
    assert report.account.done == 90
    assert report.positives["covid"].films == 90


def test_a_label_that_the_model_does_not_have_is_refused(kit: RunKit, database: Database) -> None:
    screened(kit, [b"a"], [0.9])
    with pytest.raises(UsageError, match="covid, normal, pneumonia"):
        morning_report(database, Settings(), None, ReportLimits(1.0, 1.0), of_interest=["flu"])


def test_what_watch_found_is_no_measure_of_a_night_nor_the_other_way_round(kit: RunKit) -> None:
    watched = [screened(kit, [b"a"], [0.9])]
    with kit.database.writing() as session:
        session.execute(update(Run).values(kind=RunKind.WATCH))
    night = screened(kit, [b"b"], [0.8])
    later = screened(kit, [b"c"], [0.7])
    with kit.database.reading() as session:
        assert earlier_runs(session, kit.account(night)) == []
        assert [one.id for one in earlier_runs(session, kit.account(later))] == [night]
    with kit.database.writing() as session:
        session.execute(update(Run).where(Run.id == later).values(kind=RunKind.WATCH))
    with kit.database.reading() as session:
        assert [one.id for one in earlier_runs(session, kit.account(later))] == watched


def test_pauses_are_no_time_at_work(kit: RunKit) -> None:
    began = datetime(2026, 11, 27, 22, tzinfo=UTC)
    run = screened(kit, [b"a", b"b", b"c", b"d"], [0.9, 0.8, 0.7, 0.6])
    with kit.database.writing() as session:
        session.execute(update(Run).values(created_at=began, ended_at=began + timedelta(hours=24, seconds=90)))
        images = session.scalars(select(WorkItem.image_id).order_by(WorkItem.image_id)).all()
        seconds = (60, 240, 240 + 24 * 3600 - 240, 24 * 3600 + 60)  # from four minutes on it stood for nearly a day
        for image, after in zip(images, seconds, strict=True):
            at = began + timedelta(seconds=after)
            session.execute(update(WorkItem).where(WorkItem.image_id == image).values(settled_at=at))
    report = morning_report(kit.database, Settings(), run, ReportLimits(1.0, 99.0))
    assert (report.time.seconds, report.time.paused) == (90 + 240, 24 * 3600 - 240)
    assert report.images_per_second == 4 / 330
    body = report_body(report, os.fsdecode)
    page = (REPOSITORY / "docs" / "results.md").read_text()
    rows = page.partition("\n### `report --json`\n")[2].partition("\n#")[0].splitlines()
    listed = [key for line in rows if line.startswith("| `") for key in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert listed == list(body), "docs/results.md lists them in this order"
    assert (body["seconds"], body["seconds_at_work"], body["seconds_paused"]) == (86490.0, 330.0, 86160.0)
    with kit.database.writing() as session:
        session.execute(update(Run).values(ended_at=None, state="paused"))
    paused = morning_report(kit.database, Settings(), run, ReportLimits(1.0, 99.0))
    assert paused.time.seconds == 60 + 240, "of a run that stands, to its last image"
