"""Paths that are no text, or longer than an index takes, on both databases."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select

from schemas.states import RunState
from schemas.tables import Image
from tests.screened import RunKit
from wetread.store.results.finding import Filters, find_results

NAMES = [b"a.png", b"b/c.png", b"d\xff.png", b"e.png", b"f.png", b"g.png"]


def test_paths_that_are_not_text_come_back_as_they_are(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES)
    kit.settle_all(recorded)
    with kit.database.reading() as session:
        assert sorted(row.path for row in find_results(session, Filters())) == sorted(b"/archive/" + n for n in NAMES)
        found = find_results(session, Filters(path=b"/archive/d\xff"))
        assert [row.path for row in found] == [b"/archive/d\xff.png"]
        assert [row.path for row in find_results(session, Filters(path=b"b/"))] == [b"/archive/b/c.png"]
        assert list(find_results(session, Filters(path=b"/elsewhere"))) == []
        assert len(list(find_results(session, Filters(path=b"/arch")))) == len(NAMES)


def test_a_path_longer_than_an_index_takes_is_recorded_found_and_skipped_the_next_time(kit: RunKit) -> None:
    # No letters that repeat themselves: PostgreSQL would compress those until they fit.
    directory = hashlib.shake_256(b"").hexdigest(2000).encode()
    names = [directory + b"/1.png", directory + b"/2.png", b"short.png"]
    _, recorded = kit.filled(names)
    kit.settle_all(recorded)
    with kit.database.reading() as session:
        assert {row.path for row in find_results(session, Filters())} == {b"/archive/" + name for name in names}
        found = find_results(session, Filters(path=b"/archive/" + names[1]))
        assert [row.path for row in found] == [b"/archive/" + names[1]]
        assert len(list(find_results(session, Filters(path=directory)))) == 2
    second, again = kit.filled(names)
    assert (again.pending, again.skipped) == (0, 3)
    assert kit.account(second).state == RunState.FINISHED
    with kit.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 3
