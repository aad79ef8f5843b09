"""What the report asks of both databases: spreads, earlier runs, the films to look at; few queries for any run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from schemas.errors import UsageError
from tests.screened import RunKit, done
from wetread.report.morning import Limits, morning_report
from wetread.settings import Settings
from wetread.store.database import Database
from wetread.store.earlier import earlier_runs
from wetread.store.histograms import Measure, spread_of
from wetread.store.looking import most_probable, nearest_to_threshold
from wetread.store.settling import Outcome


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
        label = spread_of(session, Measure("covid", 0.0, 1.0, label=0), second, [first])
        grey = spread_of(session, Measure("grey", 0.0, 255.0, "grey_mean"), second, [first])
        gate = spread_of(session, Measure("gate", -1.0, 1.0, "gate_score"), second, [first])
    assert label.run == {999: 1, 250: 1}, "rounded down on both databases"
    assert label.earlier == {0: 1, 500: 1, 999: 1}
    assert (grey.run, grey.earlier) == (label.run, label.earlier)
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
    settings, limits = Settings(), Limits(0.05, 0.25)
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
        morning_report(database, Settings(), None, Limits(1.0, 1.0), of_interest=["flu"])
