"""`wetread watch` as its user runs it: what appears is read, whatever way it came, and a restart loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.program import Program, eventually, kill_group, with_model
from tests.tiny_model import publish_tiny_model


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("drawn")
    return [folder / path for path in draw_films(folder, 24, seed=7)]


@contextmanager
def watching(
    program: Program, *arguments: object, code: int = 0, still: str = "0.1", says: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """Keep a watch, and see that it ends in order."""
    watch = program.start("watch", *arguments, "--settle-seconds", still, "--workers", "1")
    try:
        yield watch
        if watch.poll() is None:
            os.kill(watch.pid, signal.SIGTERM)
        _, said = watch.communicate(timeout=60)
    except BaseException:
        kill_group(watch)
        raise
    assert watch.returncode in (code, -signal.SIGKILL), said
    assert says in said
    assert says or "not taken" not in said


def done(program: Program) -> int:
    try:
        (count,) = ask(program, "SELECT count(*) FROM work_items WHERE current AND state = 'done'")[0]
    except Exception:  # noqa: BLE001 - the tables are not made yet
        return -1
    return int(str(count))


def until_done(program: Program, count: int) -> None:
    eventually(lambda: done(program) == count, what=f"{count} films read")


def test_what_appears_is_read_whatever_way_it_came(tmp_path: Path, drawn: list[Path]) -> None:
    program, inbox = with_model(tmp_path / "home"), tmp_path / "in"
    (inbox / "a").mkdir(parents=True)
    shutil.copy(drawn[0], inbox / "a" / "before.png")
    with watching(program, inbox):
        until_done(program, 1)
        growing = (inbox / "a" / "growing.png").open("wb", buffering=0)
        content = drawn[1].read_bytes()
        growing.write(content[:-1])  # it would be no film yet
        shutil.copy(drawn[2], os.path.join(os.fsencode(inbox), b"caf\xe9.png"))
        growing.write(content[-1:])
        growing.close()
        (tmp_path / "moved").mkdir()
        for film in drawn[3:6]:
            shutil.copy(film, tmp_path / "moved")
        (tmp_path / "moved").rename(inbox / "moved")
        until_done(program, 6)
        shutil.copy(drawn[6], inbox / "a" / "before.png")  # another film under a name that was read today
        eventually(
            lambda: ask(program, "SELECT 1 FROM runs WHERE id = 2 AND done = 1"), what="a run for the changed film"
        )
        screened = program.json("screen", inbox, "--workers", "1")
        assert (screened["run"], screened["state"], screened["skipped"]) == (3, "finished", 6), "a run of its own"
        twice = program.run("watch", inbox)
        assert twice.returncode == 2
        assert "found a watch that fills run 2" in twice.stderr
    states = ask(program, "SELECT kind, state, pending FROM runs ORDER BY id")
    assert states == [("watch", "finished", 0)] * 2 + [("screen", "finished", 0)]
    assert done(program) == 6
    assert ask(program, "SELECT count(*) FROM predictions") == [(7,)]


def test_killed_and_started_again_it_loses_nothing(tmp_path: Path, drawn: list[Path]) -> None:
    poll = ["--poll", "0.5"]
    program, inbox = with_model(tmp_path / "home"), tmp_path / "in"
    inbox.mkdir()
    with watching(program, inbox, *poll) as watch:
        for film in drawn[:8]:
            shutil.copy(film, inbox)
        eventually(lambda: done(program) > 0, what="a first film")
        kill_group(watch)
    for film in drawn[8:16]:
        shutil.copy(film, inbox)
    with watching(program, inbox, *poll):
        until_done(program, 16)
        for film in drawn[16:]:
            shutil.copy(film, inbox)
        until_done(program, 24)
    assert_nothing_lost(program, inbox)
    assert ask(program, "SELECT count(*), min(state) FROM runs") == [(1, "finished")], "it went on with its run"


def test_a_film_that_is_written_all_the_time_begins_no_run_each_time_and_is_said_at_the_end(
    tmp_path: Path, drawn: list[Path]
) -> None:
    program, inbox = with_model(tmp_path / "home"), tmp_path / "in"
    inbox.mkdir()
    restless = inbox / "restless.png"
    with watching(program, inbox, code=130, says="not taken yet: 1 file,"):
        for run, film in enumerate(drawn[:2], start=1):
            shutil.copy(film, restless)
            eventually(
                lambda run=run: (run, 1) in ask(program, "SELECT id, done FROM runs"),
                what=f"the film in run {run}",
            )
        shutil.copy(drawn[2], restless)
        shutil.copy(drawn[3], inbox)
        until_done(program, 2)
        assert ask(program, "SELECT max(id) FROM runs") == [(2,)], "the third time it waits"
    with watching(program, inbox):
        eventually(lambda: ask(program, "SELECT count(*) FROM predictions") == [(4,)], what="the rest")
    assert ask(program, "SELECT state, pending FROM runs") == [("finished", 0)] * 3


def test_served_it_enqueues_and_workers_read(
    tmp_path: Path, drawn: list[Path], redis_url: str, postgres_url: str
) -> None:
    program, inbox = (
        with_model(tmp_path / "home", WETREAD_DATABASE_URL=postgres_url, WETREAD_BROKER_URL=redis_url),
        tmp_path / "in",
    )
    inbox.mkdir()
    worker = program.start("worker", "--concurrency", "1")
    try:
        with watching(program, inbox):
            eventually(lambda: ask(program, "SELECT 1 FROM runs"), what="the run")
            for film in drawn[:5]:
                shutil.copy(film, inbox)
            until_done(program, 5)
    finally:
        os.kill(worker.pid, signal.SIGTERM)
        worker.communicate(timeout=60)
    assert_nothing_lost(program, inbox)


def test_a_second_model_reads_along_and_both_go_on_after_a_kill(tmp_path: Path, drawn: list[Path]) -> None:
    program, inbox = with_model(tmp_path / "home"), tmp_path / "in"
    publish_tiny_model(None, program.home, "other", seed=5)
    inbox.mkdir()
    both = [inbox, "--model", "tiny", "--shadow", "other"]
    with watching(program, *both) as watch:
        for film in drawn[:8]:
            shutil.copy(film, inbox)
        eventually(lambda: done(program) >= 2, what="a film of each")
        kill_group(watch)
    for film in drawn[8:10]:
        shutil.copy(film, inbox)
    with watching(program, *both):
        until_done(program, 20)
        shutil.copy(drawn[10], inbox / drawn[0].name)
        eventually(lambda: ask(program, "SELECT 1 FROM runs WHERE id = 4 AND done = 1"), what="both runs of the change")
        eventually(lambda: ask(program, "SELECT 1 FROM runs WHERE id = 3 AND done = 1"), what="the first of them")
    runs = ask(program, "SELECT kind, shadow_of, state, done, pending FROM runs ORDER BY id")
    assert runs[:2] == [("watch", None, "finished", 10, 0), ("shadow", 1, "finished", 10, 0)]
    assert runs[2:] == [("watch", None, "finished", 1, 0), ("shadow", 3, "finished", 1, 0)]
    assert ask(program, "SELECT count(*), count(DISTINCT sha256) FROM predictions") == [(22, 11)]
