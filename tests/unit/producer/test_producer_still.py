"""A file is taken when it stopped growing, in batches that are full at a high rate and soon at a low one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.stable_files import MicroBatch, StillFiles
from wetread.store.images.recording import FoundFile

KEY = (1, b"a.png")


def film(size: int = 1, mtime_ns: int = 1, path: bytes = b"a.png") -> FoundFile:
    return FoundFile(path, size, mtime_ns)


def test_a_file_that_grows_is_taken_when_it_has_stood_still_and_once() -> None:
    files = StillFiles(2.0)
    files.note(KEY, 0.0)
    for now, size in ((0.0, 1), (1.9, 5), (2.0, 5), (3.9, 9)):
        files.note(KEY, now)
        assert files.ready(now, lambda _, size=size: film(size)) == []
    assert files.ready(4.0, lambda _: film(9)) == [], "at 2.0 it was another"
    assert files.ready(6.0, lambda _: film(9)) == [(1, film(9))]
    assert files.ready(60.0, lambda _: film(9)) == []
    assert len(files) == 0


def test_a_file_that_goes_away_is_forgotten() -> None:
    files = StillFiles(2.0)
    files.note(KEY, 0.0)
    files.ready(0.0, lambda _: film())
    assert files.ready(2.0, lambda _: None) == []
    assert len(files) == 0


@given(st.lists(st.tuples(st.floats(0.01, 1.5), st.integers(0, 9)), min_size=1, max_size=40))
def test_no_file_is_taken_that_changed_within_its_time(writes: list[tuple[float, int]]) -> None:
    files, now, written_at, size = StillFiles(2.0), 0.0, 0.0, 0
    for wait, more in writes:
        if more:
            size, written_at = size + more, now
            files.note(KEY, now)
        assert not files.ready(now, lambda _, size=size: film(size)) or now - written_at >= 2.0
        now += wait
    files.note(KEY, now)
    taken = [files.ready(now + step, lambda _: film(size)) for step in range(6)]
    assert [found for found in taken if found] == [[(1, film(size))]], "in the end it is taken, once"


def test_one_film_goes_at_once_and_many_in_full_batches() -> None:
    batch = MicroBatch(size=4, age=1.0)
    batch.add([(1, film())], 0.0)
    assert len(batch.take(0.0, idle=True)) == 1
    sizes = []
    for number in range(40):
        now = number / 10
        batch.add([(1, film(path=b"%d" % number))], now)
        if taken := batch.take(now, idle=False):
            sizes.append(len(taken))
    assert sizes == [4] * 10
    batch.add([(1, film())], 10.0)
    assert batch.take(10.9, idle=False) == []
    assert len(batch.take(11.0, idle=False)) == 1
