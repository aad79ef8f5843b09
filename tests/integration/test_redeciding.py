"""A decision changed while an archive is read: stored readings and counts follow, and no batch mixes two."""

from __future__ import annotations

import hashlib

import pytest

from schemas.errors import ReadingsChanged
from schemas.predictions import UNCERTAIN
from schemas.states import ItemState
from tests.screened import DIGEST, LABELS, RunKit, done
from wetread.models import redeciding
from wetread.models.decision import Decision
from wetread.models.redeciding import put_in_force
from wetread.store.results.finding import Filters, find_results
from wetread.store.work.known_readings import known_readings
from wetread.store.work.outcomes import LinkedReading, Outcome

STRICT = Decision(DIGEST, temperature=1.0, thresholds={"normal": 0.9})
"""Of RunKit's logits, (0, 1, 0), the softmax gives normal 0.576: uncertain then."""
PLAIN = Decision(DIGEST)


def linked(kit: RunKit, sha256: str) -> LinkedReading:
    with kit.database.reading() as session:
        return known_readings(session, [sha256], DIGEST)[sha256]


def rows(kit: RunKit) -> list[tuple[str | None, str | None, float]]:
    with kit.database.reading() as session:
        found = find_results(session, Filters(), limit=None)
        return [(row.decision, row.decision_digest, round(row.probability or 0.0, 3)) for row in found]


def test_stored_readings_and_the_runs_counts_follow_the_decision_there_and_back(
    kit: RunKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redeciding, "READINGS", 3)
    run, recorded = kit.filled([b"%d.png" % number for number in range(10)])
    kit.settle_all(recorded)
    counted: list[int] = []
    assert put_in_force(kit.database, STRICT, LABELS, counted.append) == 10
    assert counted == [3, 6, 9, 10]
    assert set(rows(kit)) == {(UNCERTAIN, STRICT.digest, 0.576)}
    assert (kit.account(run).labels, kit.account(run).uncertain) == ({"normal": 10}, {"normal": 10})
    assert put_in_force(kit.database, STRICT, LABELS) == 0, "nothing is left to decide"
    assert put_in_force(kit.database, PLAIN, LABELS) == 10
    assert set(rows(kit)) == {("normal", PLAIN.digest, 0.576)}
    assert (kit.account(run).labels, kit.account(run).uncertain) == ({"normal": 10}, {})


def test_what_was_cut_short_goes_on_with_the_same_call(kit: RunKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redeciding, "READINGS", 4)
    run, recorded = kit.filled([b"%d.png" % number for number in range(10)])
    kit.settle_all(recorded)

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put_in_force(kit.database, STRICT, LABELS, killed)
    assert kit.account(run).uncertain == {"normal": 4}, "the counts are those of the rows at every moment"
    assert put_in_force(kit.database, STRICT, LABELS) == 6
    assert kit.account(run).uncertain == {"normal": 10}


def test_a_batch_read_under_the_earlier_decision_is_not_settled(kit: RunKit) -> None:
    run, recorded = kit.filled([b"a.png", b"b.png"])
    held = kit.claim(recorded.batch_ids[0])
    assert held is not None
    put_in_force(kit.database, STRICT, LABELS)
    with pytest.raises(ReadingsChanged, match="found another"):
        kit.settle(held, [done(item) for item in held.items])
    assert (kit.account(run).pending, rows(kit)) == (2, [])


def test_a_link_is_counted_as_its_reading_is_decided_when_it_is_settled(kit: RunKit) -> None:
    _, first = kit.filled([b"a.png"])
    kit.settle_all(first)
    second, recorded = kit.filled([b"copy.png"])
    sha256 = hashlib.sha256(b"a.png").hexdigest()
    stale = linked(kit, sha256)
    put_in_force(kit.database, STRICT, LABELS)
    held = kit.claim(recorded.batch_ids[0])
    assert held is not None
    (item,) = held.items
    kit.settle(held, [Outcome(item.image_id, ItemState.DONE, sha256=sha256, size=1, mtime_ns=1, linked=stale)])
    assert kit.account(second).uncertain == {"normal": 1}


def test_a_reading_decided_otherwise_than_is_in_force_is_not_stored(kit: RunKit) -> None:
    put_in_force(kit.database, STRICT, LABELS)
    run, recorded = kit.filled([b"a.png"])
    held = kit.claim(recorded.batch_ids[0])
    assert held is not None and held.decision_digest == STRICT.digest
    with pytest.raises(ReadingsChanged):
        kit.settle(held, [done(held.items[0])])  # by the decision that was in force before
    assert kit.account(run).pending == 1
