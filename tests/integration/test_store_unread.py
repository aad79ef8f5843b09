"""Directories that a walk could not look into: kept, bounded, and gone from the list once a walk looked into them."""

from __future__ import annotations

from schemas.alarms import AlarmKind
from tests.screened import RunKit
from wetread.store.images.unread_directories import KEPT, forget_unread, list_unread, note_unread
from wetread.store.roots.adding import root_ids
from wetread.store.runs.accounts import list_accounts
from wetread.store.runs.alarms import latest_alarms, run_alarms
from wetread.store.runs.deleting import delete_run
from wetread.store.runs.lifecycle import note_trouble


def unread(kit: RunKit, *roots: int) -> list[tuple[bytes, str, int]]:
    with kit.database.reading() as session:
        return [(row.path, row.reason, row.run) for row in list_unread(session, roots or [kit.root], limit=10_000)]


def note(kit: RunKit, run: int, root: int, *paths: bytes, whole: bool = True) -> None:
    with kit.database.writing() as session:
        note_unread(session, run, root, dict.fromkeys(paths, "Permission denied"), whole=whole)


def test_a_directory_is_listed_until_a_walk_looked_into_it_and_again_when_it_closes_again(kit: RunKit) -> None:
    note(kit, 1, kit.root, b"2024/a", b"2024/b\xff")
    assert unread(kit) == [(path, "Permission denied", 1) for path in (b"/archive/2024/a", b"/archive/2024/b\xff")]
    note(kit, 2, kit.root, b"2024/a", whole=False)
    assert [row[2] for row in unread(kit)] == [2, 1], "a walk that was cut short looked into nothing more"
    note(kit, 3, kit.root, b"2024/a")
    assert unread(kit) == [(b"/archive/2024/a", "Permission denied", 3)]
    note(kit, 4, kit.root)
    assert unread(kit) == []
    note(kit, 5, kit.root, b"2024/a")
    assert unread(kit) == [(b"/archive/2024/a", "Permission denied", 5)]


def test_a_walk_of_the_directory_itself_takes_it_from_the_list_of_the_root_around_it(kit: RunKit) -> None:
    with kit.database.writing() as session:
        inner, beside = root_ids(session, [b"/archive/2024", b"/archive/2024b"])
    note(kit, 1, kit.root, b"2024/a", b"2024b")
    note(kit, 2, inner)
    assert unread(kit, kit.root, inner, beside) == [(b"/archive/2024b", "Permission denied", 1)]
    note(kit, 3, beside, b"")
    assert unread(kit, beside) == [(b"/archive/2024b", "Permission denied", 3)], "the root itself could not be read"


def test_of_a_million_directories_some_are_named(kit: RunKit) -> None:
    note(kit, 1, kit.root, *(b"%06d" % number for number in range(3 * KEPT)))
    assert len(unread(kit)) == KEPT


def test_a_worker_that_cannot_load_the_model_is_an_alarm_while_the_run_waits_for_it(kit: RunKit) -> None:
    run, recorded = kit.filled([b"a.png"])
    with kit.database.writing() as session:
        note_trouble(session, run, AlarmKind.NOT_LOADED, "--engine keras needs tensorflow")
    (alarm,) = run_alarms(kit.account(run))
    assert (alarm.kind, alarm.details["pending"]) == (AlarmKind.NOT_LOADED, 1)
    assert "tensorflow" in alarm.message
    kit.settle_all(recorded)
    assert run_alarms(kit.account(run)) == [], "another worker had what it took"


def test_what_a_later_run_of_the_same_roots_did_again_is_no_alarm_any_more(kit: RunKit) -> None:
    first, recorded = kit.filled([])
    assert [alarm.kind for alarm in run_alarms(kit.account(first))] == [AlarmKind.NOTHING_FOUND]
    second, recorded = kit.filled([b"a.png"])
    kit.settle_all(recorded)
    with kit.database.reading() as session:
        assert latest_alarms(list_accounts(session)) == {second: []}


def test_the_number_of_a_deleted_run_is_never_given_again(kit: RunKit) -> None:
    for expected in (1, 2, 3):
        run, recorded = kit.filled([b"a.png"], force=True)
        kit.settle_all(recorded)
        assert run == expected
        with kit.database.writing() as session:
            delete_run(session, run)
    assert kit.open().id == 4


def test_what_is_deleted_by_its_path_takes_the_names_of_directories_along(kit: RunKit) -> None:
    note(kit, 1, kit.root, b"patient-1", b"patient-1/a", b"patient-10")
    with kit.database.writing() as session:
        assert forget_unread(session, b"/archive/patient-1/") == 2
    assert [path for path, _, _ in unread(kit)] == [b"/archive/patient-10"]
