"""Nights on PostgreSQL and Redis, with two beats: one run a tick, and what a window leaves is read in the next one."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

from producer.night_watch import NightWatch
from schemas.states import RunState, TickOutcome
from tests.chaos.films import draw_films
from tests.night_site import DAY, TEN, NightSite, rest
from tests.program import Program
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings

FILMS = 160


def look_at_once(site: NightSite, beats: list[NightWatch]) -> None:
    barrier = threading.Barrier(len(beats))

    def look(beat: NightWatch) -> None:
        barrier.wait()
        site.look(beat)

    threads = [threading.Thread(target=look, args=(beat,)) for beat in beats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(beat.going for beat in beats) == 1


def test_of_two_beats_one_runs_a_night_and_what_its_window_leaves_is_read_in_the_next(
    tmp_path: Path, redis_url: str, postgres_url: str
) -> None:
    draw_films(tmp_path / "archive", FILMS, seed=1)
    publish_tiny_model(postgres_url, tmp_path / "home")
    site = NightSite(tmp_path, Settings(database_url=postgres_url, broker_url=redis_url, batch_size=4))
    program = Program(tmp_path / "home", {"WETREAD_DATABASE_URL": postgres_url, "WETREAD_BROKER_URL": redis_url})
    worker = program.start("worker", "--concurrency", "1")
    try:
        site.add()
        beats = [site.beat(f"elsewhere:{number}:1") for number in range(2)]
        site.now = TEN
        look_at_once(site, beats)
        site.a_first_batch()
        site.now = TEN + timedelta(hours=8)
        for beat in beats:
            rest(beat)
        (left,) = site.runs()
        assert (left.state, left.pending > 0) == (RunState.PAUSED, True)
        site.now = TEN + DAY
        look_at_once(site, beats)
        for beat in beats:
            rest(beat)
        (ended,) = site.runs()
        assert (ended.id, ended.state, ended.done) == (left.id, RunState.FINISHED, FILMS)
        assert site.outcomes() == [TickOutcome.STARTED] * 2
    finally:
        site.close()
        worker.terminate()
        worker.communicate(timeout=45)
