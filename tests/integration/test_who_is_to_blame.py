"""A film, its engine or the machine: who is blamed for what went wrong with a batch, on both databases."""

from __future__ import annotations

import os
from typing import Any

import pytest
from sqlalchemy import select, update

from schemas.reasons import Reason
from schemas.states import ItemState, RunState
from schemas.tables import Image, Run, WorkItem
from tests.reading_site import ReadingSite
from wetread.models.classifier import FloatArray, Readout
from wetread.models.numpy_classifier import NumpyClassifier
from wetread.store.images import unchanged
from wetread.store.runs.retrying import retry_failed
from wetread.store.work.attempts import count_attempt
from wetread.store.work.leases import claim, release_dead
from worker import one_at_a_time, reading
from worker.batch import Ending
from worker.failpoints import armed
from worker.one_at_a_time import DEATHS_UNTOUCHED


def die(
    site: ReadingSite, times: int = 1, *, on: int | None = None, kills_before: int | None = None, kills: int = 0
) -> None:
    """Have workers die with the batch in hand; on: having counted an attempt of this image."""
    batch = site.batch()
    assert batch is not None
    for number in range(times):
        owner = f"dead:1:{number}"
        with site.database.writing() as session:
            held = claim(session, batch, owner, 60.0)
            assert held is not None
        if on is not None:
            with site.database.writing() as session:
                count_attempt(session, held, on, kills_before)
        with site.database.writing() as session:
            release_dead(session, owner, kills)


def images(site: ReadingSite) -> dict[int, bytes]:
    with site.database.reading() as session:
        return {row.id: row.path for row in session.execute(select(Image.id, Image.path).order_by(Image.id))}


def items(site: ReadingSite) -> dict[int, Any]:
    with site.database.reading() as session:
        query = select(WorkItem).where(WorkItem.run_id == site.run)
        return {item.image_id: item for item in session.scalars(query).all() if session.expunge(item) is None}


def read(site: ReadingSite) -> Ending:
    batch = site.batch()
    assert batch is not None
    return site.worker().process_batch(batch)


def dead_film(site: ReadingSite) -> int:
    """Have the first film die three times alone, and all be settled; return its image."""
    film = next(iter(images(site)))
    die(site)
    die(site, 3, on=film)
    assert read(site) == Ending.SETTLED
    assert (site.account().dead, site.account().done) == (1, 5)
    return film


def test_a_dead_film_is_tried_again_when_the_file_the_version_or_a_person_says_so(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = dead_film(site)
    path = site.archive / os.fsdecode(images(site)[film])
    site.screen()
    assert (site.account().skipped, site.account().pending) == (6, 0)
    with monkeypatch.context() as other:
        other.setattr(unchanged, "program_version", lambda: "another")
        site.screen()
    assert (site.account().skipped, site.account().pending) == (5, 1)
    assert read(site) == Ending.SETTLED
    assert site.account().done == 1

    with site.database.writing() as session:  # dead again
        session.execute(update(WorkItem).where(WorkItem.image_id == film).values(state=ItemState.DEAD, program="1"))
        monkeypatch.setattr(unchanged, "program_version", lambda: "1")
    site.screen()
    assert site.account().skipped == 6
    os.utime(path, ns=(1, 1))
    site.screen()
    assert (site.account().skipped, site.account().pending) == (5, 1)


def test_a_person_has_a_dead_film_tried_again_from_nothing(site: ReadingSite) -> None:
    film = dead_film(site)
    item = items(site)[film]
    path = site.archive / os.fsdecode(images(site)[film])
    assert (item.size, item.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert item.program
    with site.database.writing() as session:
        assert retry_failed(session, site.run, [], batch_size=64) == 1
    assert read(site) == Ending.SETTLED
    assert (site.account().state, site.account().done, site.account().dead) == (RunState.FINISHED, 6, 0)


def test_what_was_read_of_a_film_is_kept_before_it_can_end_its_process(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process would have been killed here."""

    film = next(iter(images(site)))
    bad = (site.archive / os.fsdecode(images(site)[film])).read_bytes()
    decode = reading.decode

    def kill(data: bytes, enough: int | None) -> Any:
        if data == bad:
            raise Killed
        return decode(data, enough)

    die(site)
    monkeypatch.setattr(reading, "decode", kill)
    with pytest.raises(Killed):
        read(site)
    kept = items(site)[film]
    assert (kept.attempts, kept.size) == (1, len(bad))
    assert kept.sha256


@pytest.mark.parametrize("others", ["wait", "were read"])
def test_a_film_is_tried_alone_only_after_another_went_through(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    seen: list[bytes] = []
    decode = reading.decode
    monkeypatch.setattr(reading, "decode", lambda data, enough: seen.append(data) or decode(data, enough))
    if others == "were read":
        assert read(site) == Ending.SETTLED
        (site.archive / "new.png").write_bytes((site.archive / os.fsdecode(images(site)[1])).read_bytes() + b"\0")
        site.screen()
        seen.clear()
    first = (site.archive / os.fsdecode(images(site)[max(images(site)) if others == "were read" else 1])).read_bytes()
    die(site)
    assert read(site) == Ending.SETTLED
    assert seen[0] != first
    assert first in seen[1:]


def test_alone_in_a_new_archive_a_film_is_tried_after_a_picture_drawn_in_memory(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = images(site).values()
    for path in rest:
        (site.archive / os.fsdecode(path)).unlink()
    drawn = one_at_a_time.drawn_picture().data
    seen: list[bytes] = []
    decode = reading.decode
    monkeypatch.setattr(reading, "decode", lambda data, enough: seen.append(data) or decode(data, enough))
    die(site)
    assert read(site) == Ending.SETTLED
    assert seen == [drawn, (site.archive / os.fsdecode(first)).read_bytes()]
    assert (site.account().done, site.account().rejected) == (1, 5)


def test_where_workers_die_before_they_touch_a_film_the_run_is_paused_and_goes_on_afterwards(site: ReadingSite) -> None:
    die(site, DEATHS_UNTOUCHED)
    assert read(site) == Ending.PAUSED
    account = site.account()
    assert (account.state, account.pending, account.dead) == (RunState.PAUSED, 6, 0)
    assert account.note is not None and "No film is blamed" in account.note
    assert {item.attempts for item in items(site).values()} == {0}
    site.screen()
    assert read(site) == Ending.SETTLED
    assert site.account().done == 6


def test_a_try_of_a_film_begins_the_count_of_untouched_deaths_anew(site: ReadingSite) -> None:
    die(site, DEATHS_UNTOUCHED - 1)
    die(site, on=next(iter(images(site))))
    with site.database.reading() as session:
        assert session.scalars(select(Run.untouched)).all() == [1]
    assert read(site) == Ending.SETTLED


@pytest.mark.parametrize(("kills", "reason"), [(5, None), (6, Reason.OUT_OF_MEMORY)])
def test_a_kill_for_lack_of_memory_is_told_from_a_crash(site: ReadingSite, kills: int, reason: str | None) -> None:
    film = next(iter(images(site)))
    die(site)
    die(site, 3, on=film, kills_before=5, kills=kills)
    kept = items(site)
    assert (kept[film].reason, kept[film].oom_kills) == (reason, None)
    assert {item.reason for image, item in kept.items() if image != film} == {None}
    assert read(site) == Ending.SETTLED
    assert site.account().dead_reasons == {str(reason or Reason.CRASHED): 1}


def raising(monkeypatch: pytest.MonkeyPatch, least: int) -> None:
    """Have the engine raise for `least` images and more together."""
    sound = NumpyClassifier.read

    def read_images(self: NumpyClassifier, images: FloatArray) -> Readout:
        if len(images) >= least:
            raise RuntimeError("could not create a reorder primitive")
        return sound(self, images)

    monkeypatch.setattr(NumpyClassifier, "read", read_images)


def test_what_an_engine_cannot_read_together_it_reads_one_by_one(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, 2)
    assert read(site) == Ending.SETTLED
    assert (site.account().state, site.account().done) == (RunState.FINISHED, 6)


@pytest.mark.parametrize("alone", [False, True])
def test_an_engine_that_raises_pauses_the_run_and_is_named(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    if alone:
        die(site)
    with monkeypatch.context() as broken:
        raising(broken, 1)
        assert read(site) == Ending.PAUSED
    account = site.account()
    assert (account.state, account.pending, account.dead) == (RunState.PAUSED, 6, 0)
    assert account.note is not None
    for said in ("engine numpy", "RuntimeError: could not create a reorder primitive", "--engine keras"):
        assert said in account.note
    assert {(item.attempts, item.reason) for item in items(site).values()} == {(0, None)}
    armed.cache_clear()
    site.screen()
    assert read(site) == Ending.SETTLED
    assert site.account().done == 6


def test_an_engine_that_raises_as_it_loads_a_model_leaves_the_batch_to_another_machine(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*_: object) -> None:
        raise RuntimeError("could not create a reorder primitive")

    with monkeypatch.context() as broken:
        broken.setattr(NumpyClassifier, "__init__", made)
        assert read(site) == Ending.NO_MODEL
    account = site.account()
    assert (account.state, account.pending, account.dead) == (RunState.RUNNING, 6, 0)
    assert "engine numpy to load the model" in str(account.trouble_why)
    assert {(item.attempts, item.reason) for item in items(site).values()} == {(0, None)}
    assert read(site) == Ending.SETTLED
