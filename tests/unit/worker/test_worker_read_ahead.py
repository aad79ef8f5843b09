"""Reading ahead: in order, each file once, within its bounds, and never in the way of an archive that is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from schemas.errors import Rejected, RootSilent, RootUnavailable
from schemas.reasons import Reason
from tests.program import REPOSITORY, eventually
from wetread.imaging.files import FileBytes
from wetread.store.work.leases import ClaimedItem
from worker import read_ahead
from worker.read_ahead import READ_THREADS, ReadAhead
from worker.read_threads import alive


def items(count: int) -> list[ClaimedItem]:
    return [ClaimedItem(number, b"/archive", b"%d.png" % number, 0, None, None) for number in range(count)]


def file_of(item: ClaimedItem, size: int = 10) -> FileBytes:
    return FileBytes(b"x" * size, size, 1, f"{item.image_id}")


class Disk:
    """Files that come when they are let go, and a count of those that were asked for."""

    def __init__(self, size: int = 10) -> None:
        self.size, self.asked, self.go = size, list[int](), threading.Event()

    def read(self, item: ClaimedItem) -> FileBytes:
        self.asked.append(item.image_id)
        self.go.wait(30)
        return file_of(item, self.size)


def test_files_come_in_order_each_once_in_few_chunks() -> None:
    asked: list[int] = []

    def read(item: ClaimedItem) -> FileBytes:
        asked.append(item.image_id)
        return file_of(item)

    chunks = [[got.item.image_id for got in chunk] for chunk in ReadAhead().chunks(items(64), read)]
    assert [len(chunk) for chunk in chunks] == [1, 4, 16, 16, 16, 11]
    assert [number for chunk in chunks for number in chunk] == sorted(asked) == list(range(64))
    assert list(ReadAhead().chunks([], read)) == []


def test_many_slow_opens_are_on_their_way_together() -> None:
    disk, got = Disk(), []
    thread = threading.Thread(target=lambda: got.extend(ReadAhead().chunks(items(64), disk.read)))
    thread.start()
    try:
        eventually(lambda: len(disk.asked) == READ_THREADS, what="as many opens as threads")
    finally:
        disk.go.set()
        thread.join()
    assert len(got) == 6


def test_the_next_files_are_read_while_the_caller_works() -> None:
    disk = Disk()
    disk.go.set()
    chunks = ReadAhead().chunks(items(64), disk.read)
    next(chunks)
    eventually(lambda: len(disk.asked) == read_ahead.FILES_AHEAD, what="reading to the bound")
    next(chunks)
    eventually(lambda: len(disk.asked) == read_ahead.FILES_AHEAD + 1, what="reading on")


def test_large_files_are_held_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "BYTES_AHEAD", 300)
    disk = Disk(size=100)
    disk.go.set()
    ahead: list[int] = []
    for number, chunk in enumerate(ReadAhead().chunks(items(64), disk.read)):
        ahead += [len(chunk)] if number > 8 else []  # by then what was begun before the sizes were known is read
    assert len(disk.asked) == 64
    assert max(ahead) <= 3


def test_one_that_is_rejected_does_not_stop_the_others_but_a_root_that_is_gone_does() -> None:
    def read(item: ClaimedItem, fault: Callable[[], Exception]) -> FileBytes:
        if item.image_id == 3:
            raise fault()
        return file_of(item)

    chunks = ReadAhead().chunks(items(6), lambda item: read(item, lambda: Rejected(Reason.VANISHED, "gone")))
    files = [got.file for chunk in chunks for got in chunk]
    assert isinstance(files[3], Rejected) and all(isinstance(file, FileBytes) for file in files[:3] + files[4:])
    with pytest.raises(RootUnavailable):
        list(ReadAhead().chunks(items(6), lambda item: read(item, lambda: RootUnavailable("no root"))))


def asked_for(ahead: ReadAhead, some: list[ClaimedItem], disk: Disk, then: list[ClaimedItem]) -> list[int]:
    """Have `some` read, with `then` as what comes next; return the images that were handed over."""
    return [got.item.image_id for chunk in ahead.chunks(some, disk.read, lambda: then) for got in chunk]


def test_the_first_files_of_what_comes_next_are_read_while_the_last_are_worked_on() -> None:
    disk, ahead, every = Disk(), ReadAhead(), items(100)
    disk.go.set()
    chunks = ahead.chunks(every[:40], disk.read, lambda: every[40:])
    handed = 0
    for chunk in chunks:
        handed += len(chunk)
        if handed == 40:
            eventually(lambda: len(disk.asked) == 56, what="the first files of the next batch")
        else:
            assert max(disk.asked) < 40
    assert asked_for(ahead, every[40:], disk, []) == list(range(40, 100))
    assert sorted(disk.asked) == list(range(100)), "each once"


def test_what_another_took_is_dropped_and_read_when_it_is_wanted_after_all() -> None:
    disk, ahead, every = Disk(), ReadAhead(), items(30)
    disk.go.set()
    assert asked_for(ahead, every[:10], disk, every[10:20]) == list(range(10))
    assert asked_for(ahead, every[20:], disk, []) == list(range(20, 30))
    assert asked_for(ahead, every[10:20], disk, []) == list(range(10, 20))
    assert ahead._early == {}, "nothing is kept of what was read for nothing"


def test_what_will_not_be_wanted_soon_is_dropped() -> None:
    disk, ahead, every = Disk(), ReadAhead(), items(20)
    disk.go.set()
    asked_for(ahead, every[:10], disk, every[10:])
    assert ahead._early
    ahead.forget()
    assert not ahead._early


def test_a_root_that_was_gone_too_early_is_asked_again() -> None:
    ahead, every, mounted = ReadAhead(), items(4), threading.Event()
    tried = threading.Event()

    def read(item: ClaimedItem) -> FileBytes:
        if item.image_id > 1 and not mounted.is_set():
            tried.set()
            raise RootUnavailable("gone")
        return file_of(item)

    for _ in ahead.chunks(every[:2], read, lambda: every[2:3]):
        pass
    assert tried.wait(30)
    eventually(lambda: ahead._early[2].done(), what="the early read's end")
    mounted.set()
    assert [got.item.image_id for chunk in ahead.chunks(every[2:], read) for got in chunk] == [2, 3]


def test_a_file_server_that_does_not_answer_is_left_behind_and_asked_anew() -> None:
    disk, ahead = Disk(), ReadAhead(patience=0.2)
    try:
        with pytest.raises(RootSilent, match=r"expected the archive's file server to answer within 0\.2 s"):
            list(ahead.chunks(items(40), disk.read))
        again = [got.item.image_id for chunk in ahead.chunks(items(40), file_of) for got in chunk]
    finally:
        disk.go.set()
    assert again == list(range(40))


def test_a_file_that_comes_slowly_is_no_silence() -> None:
    def read(item: ClaimedItem) -> FileBytes:
        for _ in range(6):
            time.sleep(0.4)
            alive()
        return file_of(item)

    got = [read.item.image_id for chunk in ReadAhead(patience=2.0).chunks(items(1), read) for read in chunk]
    assert got == [0]


def test_a_process_ends_although_a_read_of_it_hangs() -> None:
    code = """
import threading
from schemas.errors import RootSilent
from wetread.store.work.leases import ClaimedItem
from worker.read_ahead import ReadAhead
try:
    list(ReadAhead(0.1).chunks([ClaimedItem(1, b"/", b"a", 0, None, None)], lambda item: threading.Event().wait()))
except RootSilent:
    raise SystemExit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=60).returncode == 7
