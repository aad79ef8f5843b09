"""One film has one row and one current reading, whichever directory a command was given, in whatever order."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import Image, WorkItem
from tests.screened import DIGEST, RunKit, done, rejected
from wetread.store.core.database import Database
from wetread.store.images.places import known_roots
from wetread.store.images.recording import FoundFile
from wetread.store.results.counts import By, label_counts
from wetread.store.results.finding import Filters, find_results
from wetread.store.results.one_image import find_image
from wetread.store.roots.adding import has_images, root_ids
from wetread.store.roots.erasing import erase_images, find_images
from wetread.store.runs.watched_films import changed_since_read, count_unknown
from wetread.store.work.leases import ClaimedItem

INNER, OUTER = [b"a.png", b"b/c.png"], [b"2024/a.png", b"2024/b/c.png", b"2023/d.png"]
BOTH_WAYS = pytest.mark.parametrize("inner_first", [True, False])


class Commands(RunKit):
    """Commands on several directories, one after another."""

    def give(self, directory: bytes, root_map: Mapping[str, str] | None = None) -> int:
        with self.database.writing() as session:
            (self.root,) = root_ids(session, [directory], root_map)
        return self.root

    def screen(self, directory: bytes, names: list[bytes], *, mtime_ns: int = 1, **given: Mapping[str, str]) -> int:
        """Read `names` of a directory as a command does that is given it; return the run."""
        self.give(directory, given.get("root_map"))
        run = self.open().id
        recorded = self.record(run, names, mtime_ns=mtime_ns)
        self.end_walk(run)
        for batch in recorded.batch_ids:
            held = self.claim(batch)
            assert held is not None
            read = [done(item, content=str(mtime_ns)) for item in held.items]
            self.settle(held, [replace(outcome, mtime_ns=mtime_ns) for outcome in read])
        return run

    def current(self) -> dict[bytes, int]:
        """Return {path: the run of its current reading}, of all results."""
        with self.database.reading() as session:
            rows = list(find_results(session, Filters()))
        assert len(rows) == len({row.path for row in rows}), "a film is listed twice"
        return {row.path: row.run for row in rows}

    def counted(self, filters: Filters, by: By = By.LABEL) -> list[tuple[object, int]]:
        with self.database.reading() as session:
            return [(count.group, count.images) for count in label_counts(session, filters, by)]


@pytest.fixture
def commands(database: Database) -> Commands:
    """Commands that find no directory known but /archive."""
    return Commands(database)


@pytest.fixture
def elsewhere(commands: Commands) -> bytes:
    """A directory that no other command was given."""
    return b"/elsewhere"


@BOTH_WAYS
def test_a_directory_inside_another_shares_its_images(commands: Commands, elsewhere: bytes, inner_first: bool) -> None:
    order = [(elsewhere + b"/2024", INNER), (elsewhere, OUTER)]
    runs = [commands.screen(*given) for given in (order if inner_first else reversed(order))]
    found = [(account.found, account.done, account.skipped) for account in map(commands.account, runs)]
    assert found == ([(2, 2, 0), (3, 1, 2)] if inner_first else [(3, 3, 0), (2, 0, 2)])
    assert commands.current().keys() == {elsewhere + b"/" + name for name in OUTER}
    # And after a change, whichever command finds it first.
    later = [commands.screen(*given, mtime_ns=2) for given in order]
    assert [commands.account(run).done for run in later] == [2, 1]
    inside, outside = later
    assert commands.current() == {
        elsewhere + b"/2024/a.png": inside, elsewhere + b"/2024/b/c.png": inside, elsewhere + b"/2023/d.png": outside,
    }  # fmt: skip
    assert commands.counted(Filters()) == [(None, 3)]
    assert commands.counted(Filters(path=elsewhere + b"/2024/")) == [(None, 2)]
    assert commands.counted(Filters(path=b"b/")) == [(None, 1)]  # under the directory that some command was given
    assert commands.counted(Filters(), By.DIRECTORY) == [(elsewhere + b"/2023/", 1), (elsewhere + b"/2024/", 2)]
    of_run = Filters(run=runs[0] if inner_first else later[0])
    assert commands.counted(of_run, By.DIRECTORY) == [(elsewhere + b"/2024/", 1), (elsewhere + b"/2024/b/", 1)]


def test_a_run_that_is_under_way_goes_on_while_a_command_is_given_the_directory_above(
    commands: Commands, elsewhere: bytes
) -> None:
    inner = commands.give(elsewhere + b"/2024")
    run = commands.open().id
    begun = commands.record(run, INNER[:1])
    held = commands.claim(begun.batch_ids[0])
    assert held is not None
    commands.screen(elsewhere, OUTER)
    commands.settle(held, [done(item) for item in held.items])
    commands.root = inner
    rest = commands.record(run, INNER)
    assert (rest.pending, rest.skipped) == (0, 1)
    commands.end_walk(run)
    account = commands.account(run)
    assert (account.state, account.found, account.done, account.skipped) == ("finished", 2, 1, 1)
    assert commands.current().keys() == {elsewhere + b"/" + name for name in OUTER}


def test_files_are_opened_under_the_directory_that_the_run_was_given(commands: Commands, elsewhere: bytes) -> None:
    commands.screen(elsewhere, OUTER)
    commands.give(elsewhere + b"/2024")
    run = commands.open(force=True).id
    claimed = [item for batch in commands.record(run, INNER, force=True).batch_ids for item in items(commands, batch)]
    assert {(item.root, item.path) for item in claimed} == {(elsewhere + b"/2024", name) for name in INNER}


def items(commands: Commands, batch: int) -> tuple[ClaimedItem, ...]:
    held = commands.claim(batch)
    assert held is not None
    return held.items


def test_whether_films_were_under_a_directory_is_asked_of_that_one_alone(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    commands.screen(elsewhere, OUTER)
    never, known = commands.give(elsewhere + b"/2022"), commands.give(elsewhere + b"/2024")
    with database.reading() as session:
        assert [has_images(session, root) for root in (never, known)] == [False, True]


def test_a_watch_of_a_directory_inside_another_knows_its_films(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    run = commands.screen(elsewhere, OUTER)
    root = commands.give(elsewhere + b"/2024")
    before, after = FoundFile(b"a.png", 100, 1), FoundFile(b"a.png", 100, 2)
    with database.reading() as session:
        assert [count_unknown(session, root, [file]) for file in (before, after)] == [0, 1]
        assert [changed_since_read(session, run, root, [file]) for file in (before, after)] == [[], [after]]


def test_a_film_is_shown_and_taken_back_by_the_name_that_any_command_found_it_by(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    commands.screen(elsewhere, OUTER)
    commands.screen(b"/mnt", OUTER, root_map={elsewhere.decode(): "/mnt"})
    with database.reading() as session:
        by_each = [find_image(session, path=top + b"/2024/a.png") for top in (elsewhere, b"/mnt")]
        assert [[film.path for film in films] for films in by_each] == [[elsewhere + b"/2024/a.png"]] * 2
    with database.writing() as session:
        erased = erase_images(session, find_images(session, path=b"/mnt/2024/"))
    assert erased.images == 2
    assert commands.current().keys() == {elsewhere + b"/2023/d.png"}


def test_two_commands_that_begin_together_see_each_other(commands: Commands, database: Database) -> None:
    for number in range(10):
        names = [b"/both/%d" % number, b"/both/%d/2024" % number]
        barrier = threading.Barrier(2)

        def give(name: bytes, barrier: threading.Barrier) -> None:
            barrier.wait()
            with database.writing() as session:
                root_ids(session, [name])

        threads = [threading.Thread(target=give, args=(name, barrier)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with database.reading() as session:
            outer, inner = (next(root for root in known_roots(session) if root.path == name) for name in names)
        assert (outer.is_home, inner.place) == (True, (outer.id, b"2024/"))


def test_directories_of_like_names_share_nothing(commands: Commands, database: Database) -> None:
    for name in (b"/like", b"/like2", b"/like-2024", b"/other/like"):
        commands.give(name)
    with database.reading() as session:
        assert all(root.is_home for root in known_roots(session))


def test_a_name_that_turns_out_to_be_of_a_known_directory_has_its_films_joined(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    """Both were screened before anybody could tell, and a run of one of them is half read."""
    first = commands.screen(elsewhere, OUTER)
    second = commands.screen(b"/mnt", [*OUTER, b"2023/new.png"], mtime_ns=2)
    commands.give(b"/mnt")
    half = commands.open(force=True).id
    waiting = commands.record(half, OUTER[:2], force=True, mtime_ns=2)
    before = [commands.account(run) for run in (first, second, half)]
    commands.give(b"/mnt", {elsewhere.decode(): "/mnt"})
    assert [commands.account(run) for run in (first, second, half)] == before
    films = {elsewhere + b"/" + name for name in [*OUTER, b"2023/new.png"]}
    assert commands.current() == dict.fromkeys(films, second)
    commands.settle_all(waiting)
    commands.end_walk(half)
    assert commands.account(half).state == "finished"
    last = commands.screen(elsewhere, [*OUTER, b"2023/new.png"], mtime_ns=2)
    assert (commands.account(last).skipped, commands.account(last).done) == (2, 2)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 4
        assert session.scalar(select(func.count()).select_from(WorkItem).where(WorkItem.run_id == first)) == 3


def test_a_film_that_a_run_found_by_both_names_is_counted_once_when_they_are_joined(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    one, other = commands.give(elsewhere), commands.give(b"/mnt")
    run = commands.open().id
    commands.root = one
    commands.settle_all(commands.record(run, OUTER))
    commands.root = other
    recorded = commands.record(run, OUTER)
    held = commands.claim(recorded.batch_ids[0])
    assert held is not None
    commands.settle(held, [done(held.items[0]), rejected(held.items[1], Reason.UNDECODABLE), done(held.items[2])])
    commands.end_walk(run)
    assert commands.account(run).found == 6
    commands.give(b"/mnt", {elsewhere.decode(): "/mnt"})
    account = commands.account(run)
    assert (account.found, account.done, account.rejected, account.labels) == (3, 3, 0, {"normal": 3})
    assert len(commands.current()) == 3


def test_a_reading_is_not_lost_to_a_later_command_that_could_not_reach_the_film(
    commands: Commands, elsewhere: bytes
) -> None:
    first = commands.screen(elsewhere, [b"a.png"])
    commands.give(b"/mnt")
    run = commands.open().id
    held = commands.claim(commands.record(run, [b"a.png"]).batch_ids[0])
    assert held is not None
    commands.settle(held, [rejected(held.items[0], Reason.PERMISSION)])
    commands.end_walk(run)
    commands.give(b"/mnt", {elsewhere.decode(): "/mnt"})
    assert commands.current() == {elsewhere + b"/a.png": first}


def test_many_films_move_when_the_directory_above_is_given(
    commands: Commands, elsewhere: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.store.roots.moving.MOVED_AT_ONCE", 7)
    names = [b"%03d.png" % number for number in range(50)]
    run = commands.screen(elsewhere + b"/2024", names)
    commands.screen(elsewhere, [b"2024/" + name for name in names])
    assert commands.current() == {elsewhere + b"/2024/" + name: run for name in names}


def test_what_a_program_of_the_version_before_lists_by_the_inner_directory_is_joined_by_the_next_command(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    commands.screen(elsewhere, OUTER)
    inner = commands.give(elsewhere + b"/2024")
    with database.writing() as session:
        session.add(Image(root_id=inner, path=b"new.png", path_hash=b"x" * 32, size=1, mtime_ns=1))
    commands.give(elsewhere + b"/2024")
    with database.reading() as session:
        assert b"2024/new.png" in session.scalars(select(Image.path)).all()
        assert {image.root_id for image in session.scalars(select(Image))} == {
            known_roots(session, [inner])[0].place.home
        }


def test_a_model_reads_the_films_once_whichever_way_they_are_found(
    commands: Commands, database: Database, elsewhere: bytes
) -> None:
    for directory, names in [(elsewhere + b"/2024", INNER), (elsewhere, OUTER)] * 2:
        commands.screen(directory, names)
    with database.reading() as session:
        read = select(func.count()).select_from(WorkItem)
        assert session.scalar(read.where(WorkItem.model_digest == DIGEST, WorkItem.state == ItemState.DONE)) == 3


def test_a_directory_by_another_name_is_a_home_again_once_it_is_another_directory(
    commands: Commands, database: Database, tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.symlink_to(one)  # as two mounts of one disk look to whoever asks for device and inode
    names = [bytes(one), bytes(other)]
    for root_map in ({str(one): str(other)}, None):
        commands.give(names[0])
        commands.give(names[1], root_map)
        with database.reading() as session:
            roots = {root.path: root for root in known_roots(session)}
        assert roots[names[1]].place == (roots[names[0]].id, b"")
    other.unlink()
    other.mkdir()  # another disk is there now
    commands.give(names[1])
    with database.reading() as session:
        assert all(root.is_home for root in known_roots(session))
