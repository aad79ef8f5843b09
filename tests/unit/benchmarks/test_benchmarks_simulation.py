"""The simulation of a site: the paces that can be worked out by hand come out of it, and what is short is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.foretelling import foretold
from benchmarks.simulation import main, simulate
from benchmarks.site_model import Costs, Site

ONE = Site(workers=1, round_trip=0.001)
COSTS = Costs(
    work=0.010, client=0.004, claim=0.001, claim_trips=5, lookup=0.0005, lookup_trips=3, settle=0.003, settle_trips=8,
    held=0.001, held_trips=4, held_client=0.0015, flush=0.002,
)  # fmt: skip
BATCH_SECONDS = (
    64 * 0.010 + 0.004 + 0.001 + 4 * 0.0005 + 0.003 + 0.001 + (5 + 4 * 3 + 8 + 4) * 0.001 + 2 * 0.002 + 0.0015
)


def test_one_worker_takes_the_sum_of_all_that_a_batch_costs() -> None:
    assert simulate(COSTS, ONE).films_per_second == pytest.approx(64 / BATCH_SECONDS, rel=1e-6)


def test_two_workers_read_twice_as_much_where_nothing_is_short() -> None:
    pace = simulate(COSTS, replace(ONE, workers=2))
    assert pace.films_per_second == pytest.approx(2 * 64 / BATCH_SECONDS, rel=0.01)
    assert pace.short == "workers"


def test_many_workers_read_what_the_databases_cores_allow() -> None:
    costs = Costs(work=0.001, claim=0.004, lookup=0.001, settle=0.020)
    pace = simulate(costs, Site(workers=64, database_cores=2))
    assert pace.films_per_second == pytest.approx(64 * 2 / (0.004 + 4 * 0.001 + 0.020), rel=0.01)
    assert pace.short == "database"
    assert pace.busy["database"] == pytest.approx(1.0, abs=0.01)


def test_settles_of_one_run_follow_one_another_while_its_row_is_held() -> None:
    held = 0.001 + 4 * 0.001 + 0.0015 + 0.002
    pace = simulate(COSTS, replace(ONE, workers=200))
    assert pace.films_per_second == pytest.approx(64 / held, rel=0.01)
    assert pace.short == "run 1"


def test_two_runs_at_once_have_a_row_each() -> None:
    one, two = (simulate(COSTS, replace(ONE, workers=400, runs=runs, database_cores=64)) for runs in (1, 2))
    assert two.films_per_second == pytest.approx(2 * one.films_per_second, rel=0.01)


def test_films_come_no_faster_than_the_link_carries_them() -> None:
    costs = Costs(work=0.010, file_bytes=10e6)
    pace = simulate(costs, Site(workers=32, bandwidth=1e9))
    assert pace.films_per_second == pytest.approx(100, rel=0.01)
    assert pace.short == "link"


def test_files_are_fetched_while_others_are_worked_on() -> None:
    """A link that takes half as long as the work hides behind it, but for a batch's first films."""
    costs = Costs(work=0.010, file_bytes=5e6)
    pace = simulate(costs, Site(workers=1, bandwidth=1e9))
    assert pace.films_per_second == pytest.approx(64 / (64 * 0.010 + 16 * 0.005), rel=1e-6)


def test_cores_that_all_share_are_shared() -> None:
    """Four workers on two cores read as two do, and the database's work takes of the same cores."""
    costs = Costs(work=0.010, settle=0.160)
    pace = simulate(costs, Site(workers=4, cores=2))
    assert pace.films_per_second == pytest.approx(2 * 64 / (64 * 0.010 + 0.160), rel=0.01)


def test_one_writer_has_claims_and_settles_follow_one_another() -> None:
    """As on SQLite: everything between the begin and the end of a writing transaction is alone."""
    costs = Costs(work=0.0005, claim=0.002, settle=0.010, held=0.004)
    pace = simulate(costs, Site(workers=16, writers=1))
    assert pace.films_per_second == pytest.approx(64 / 0.016, rel=0.01)
    assert pace.short == "writer"


def test_no_more_batches_are_read_at_once_than_are_rung_for() -> None:
    costs = Costs(work=0.010)
    pace = simulate(costs, Site(workers=64, high_water=16, ring_seconds=0.001))
    assert pace.films_per_second == pytest.approx(16 * 64 / 0.640, rel=0.01)
    assert pace.short == "messages"


def test_workers_starve_between_two_rings_that_are_far_apart() -> None:
    costs = Costs(work=0.001)
    pace = simulate(costs, Site(workers=64, high_water=32, ring_seconds=1.0))
    assert pace.films_per_second == pytest.approx(32 * 64 / 1.0, rel=0.02)


def test_redis_hands_out_no_more_messages_than_it_can() -> None:
    """Each message is handed in once and out once."""
    costs = Costs(work=0.0001, message=0.005)
    pace = simulate(costs, Site(workers=64, high_water=4096))
    assert pace.films_per_second == pytest.approx(64 / 0.010, rel=0.05)


def test_the_same_seed_draws_the_same_films() -> None:
    costs = replace(COSTS, spread=1.0)
    paces = [simulate(costs, replace(ONE, workers=3), seed).films_per_second for seed in (1, 1, 2)]
    assert paces[0] == paces[1] != paces[2]


def test_films_that_differ_take_as_long_on_average_as_those_that_do_not() -> None:
    alike, different = (simulate(replace(COSTS, spread=spread), replace(ONE, workers=64)) for spread in (0.0, 1.0))
    assert different.films_per_second == pytest.approx(alike.films_per_second, rel=0.02)


def test_the_table_says_what_is_short_and_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--workers", "1", "64", "--films", "8640000", "--work", "0.01", "--file-bytes", "10e6", "--bandwidth", "1e9"])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert rows[0][0] == "workers" and rows[0][-1] == "days"
    assert rows[3][0] == "64" and rows[3][-2:] == ["link", "1.0"]


def test_one_workers_stages_foretell_two_and_four_on_two_cores() -> None:
    stages = {"wait": 0.1, "claim": 0.05, "lookup": 0.05, "settle": 0.4, "decode": 1.2, "network": 0.8, "other": 0.0}
    alone = 1000 / 2.5
    paces = [foretold(stages, workers=workers, cores=2, batch=64, one_writer=False) for workers in (1, 2, 4)]
    assert paces == pytest.approx([alone, 2 * alone, 2 * alone], rel=0.01)
    assert foretold(stages, workers=8, cores=8, batch=64, one_writer=True) == pytest.approx(1000 / 0.45, rel=0.02)
