"""The archive's root goes away in the middle of a run and comes back, or is empty at night: no film is blamed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import moments, times, ways
from tests.chaos.serving import settled, workers
from tests.chaos.table import record
from tests.program import Program, eventually

BLAMED = "SELECT count(*) FROM work_items WHERE state IN ('rejected', 'dead')"
KILLS = "SELECT coalesce(sum(kills), 0) FROM batches"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("served"))
def test_a_root_that_goes_away_pauses_the_run_and_the_same_command_finishes_it(
    way: str, own_archive: Path, request: pytest.FixtureRequest
) -> None:
    program: Program = request.getfixturevalue(way)
    program.environment["WETREAD_LEASE_SECONDS"] = "60"  # nobody dies here, on a slow machine either
    moment, began = moments(f"root {way}"), time.monotonic()
    away = own_archive.with_name("away")
    codes = []
    with workers(program, 2 if way == "served" else 0):
        for _ in range(times(5, 1)):
            before = settled(program)
            running = program.start("screen", own_archive, "--workers", "1")
            eventually(lambda before=before: settled(program) > before, what="a batch")
            time.sleep(moment.uniform(0, times(5, 0)))
            own_archive.rename(away)
            left_empty = moment.random() < 0.5
            if left_empty:
                own_archive.mkdir()  # as the folder below a mount that went away
            _, said = running.communicate(timeout=120)
            codes.append(running.returncode)
            assert codes[-1] == 4, said
            assert ask(program, "SELECT id, state FROM runs") == [(1, "paused")]
            assert "Traceback" not in said
            if left_empty:
                own_archive.rmdir()
            assert ask(program, BLAMED) == [(0,)], said
            assert ask(program, KILLS) == [(0,)], said
            away.rename(own_archive)
        ended = program.json("screen", own_archive)
        assert ask(program, KILLS) == [(0,)], "in the command that finished it"
        accounts = assert_nothing_lost(program, own_archive)
    assert (ended["run"], ended["state"], accounts.runs) == (1, "finished", 1)
    assert accounts.kills == 0
    record(
        "5", way, f"the archive's root renamed away {len(codes)} times in the middle of a run, and brought back",
        f"exit 4, run paused, nobody blamed; the same command ended it: {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip


def test_a_root_that_is_suddenly_empty_is_refused_and_no_film_has_vanished(embedded: Program, tmp_path: Path) -> None:
    began = time.monotonic()
    archive = tmp_path / "archive"
    draw_films(archive, 20, seed=1)
    embedded.json("screen", archive, "--workers", 1)
    mounted = archive.rename(tmp_path / "mounted")
    archive.mkdir()
    at_night = embedded.run("screen", archive)
    assert (at_night.returncode, "is it mounted?" in at_night.stderr) == (2, True), at_night.stderr
    (archive / "nothing here").mkdir()  # a folder below a mount need not be bare
    at_night = embedded.run("screen", archive, "--workers", 1)
    assert (at_night.returncode, "found none; mount it" in at_night.stderr) == (4, True), at_night.stderr
    assert ask(embedded, "SELECT state, found FROM runs ORDER BY id") == [("finished", 20), ("paused", 0)]
    (archive / "nothing here").rmdir()
    archive.rmdir()
    mounted.rename(archive)
    ended = embedded.json("screen", archive, "--workers", 1)
    assert (ended["run"], ended["skipped"]) == (2, 20)
    assert_nothing_lost(embedded, archive)
    record(
        "5", "embedded", "the root empty at night, or with nothing but empty folders",
        "refused with exit 2, or paused with exit 4; no film marked vanished; finished when the films were back",
        time.monotonic() - began,
    )  # fmt: skip
