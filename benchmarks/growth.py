"""How the pace of `wetread screen` changes with the archive's size, the number of workers and the size of a batch.

    python -m benchmarks.growth [--films 1000 10000 100000] [--workers 1 2 4] [--batches 16 64 256] [--rounds 3]

Films are small and drawn (64 x 64, each with its own bytes), in memory; the shipped model reads them. So small a film
costs little: what wetread does beside reading is a larger part of it than of a real one, and shows more, if it grows.
Each turn has a new database. One thing is varied at a time: sizes with a worker a core in batches of 64; workers and
batches over --at films. An archive of fewer than 10,000 films is screened more often in each round. The pace is
the steady one, without the time in which workers start and end. Prints Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.archives import machine
from benchmarks.commands import batch_ends, screen, worker
from benchmarks.foretelling import DATABASE, foretold
from benchmarks.pace import middle_pace
from tests.chaos.films import draw_films
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer

EMBEDDED, SERVED = "embedded", "served"
BATCH = 64
AT_LEAST = 10_000
"""Films of each case in a round: an archive of fewer is screened more often, since its pace says less."""

COLUMNS = (
    "films/s", "least", "most", "of the first", "last tenth of first", "ms a film: all", "database", "waiting",
    "simulated films/s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What is screened, and how."""

    way: str
    films: int
    workers: int
    batch: int = BATCH


@dataclass(frozen=True, slots=True)
class Turn:
    """One screening. pace, first, last: films/s of its steady part, and of the first and last tenth of that.

    stages: milliseconds a film, by the workers' own stages.
    """

    pace: float
    first: float
    last: float
    stages: dict[str, float]


class Bench:
    """The films, drawn once for each size, and the servers, started once; a database for each turn."""

    def __init__(self, films: Path, place: Path, servers: tuple[PostgresServer, RedisServer] | None) -> None:
        self._films, self._place, self._servers = films, place, servers
        self._numbers = itertools.count()

    def turn(self, case: Case) -> Turn:
        """Screen once."""
        archive = self._films / str(case.films)
        if not archive.is_dir():
            draw_films(archive, case.films, seed=case.films)
        number = next(self._numbers)
        own = {"WETREAD_HOME": str(self._place / str(number)), "WETREAD_BATCH_SIZE": str(case.batch)}
        if case.way == SERVED and self._servers is not None:
            postgres, redis = self._servers
            redis.flush()
            own |= {"WETREAD_DATABASE_URL": postgres.create_database(f"turn{number}"), "WETREAD_BROKER_URL": redis.url}
        with worker(own, case.workers) if case.way == SERVED else nullcontext():
            said = screen(archive, own, "--profile", "--workers", str(case.workers))
        ends = sorted(batch_ends(own, said["run"]))
        assert sum(count for _, count in ends) == case.films, said  # noqa: S101 - a figure of fewer would say nothing
        tenth = max(len(ends) // 10, 2 * case.workers + 2)
        return Turn(
            middle_pace(ends, case.workers), middle_pace(ends[:tenth], case.workers),
            middle_pace(ends[-tenth:], case.workers),
            {stage: spent["milliseconds_an_image"] for stage, spent in said["profile"].items() if not spent["beside"]},
        )  # fmt: skip


def main() -> None:
    """Measure in turns and print tables."""
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--batches", type=int, nargs="*", default=[16, 64, 256])
    parser.add_argument("--at", type=int, default=10_000, help="films where workers and batches are varied")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(EMBEDDED, SERVED), help="default: both")
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="where the films are drawn")  # noqa: S108 - a memory disk
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="wetread-films-", dir=given.folder) as films,
        tempfile.TemporaryDirectory(prefix="wetread-bench-") as place,
        _servers(wanted=given.only != EMBEDDED) as servers,
    ):
        bench = Bench(Path(films), Path(place), servers)
        print(f"{machine()}; {given.rounds} rounds", flush=True)
        for way in (given.only,) if given.only else (EMBEDDED, SERVED):
            at = Case(way, given.at, cores)
            compare(bench, "films", [replace(at, films=films) for films in given.films], given.rounds)
            compare(bench, "workers", [replace(at, workers=workers) for workers in given.workers], given.rounds)
            compare(bench, "batch", [replace(at, batch=batch) for batch in given.batches], given.rounds)


@contextmanager
def _servers(*, wanted: bool) -> Iterator[tuple[PostgresServer, RedisServer] | None]:
    if not wanted:
        yield None
        return
    postgres, redis = PostgresServer().start(), RedisServer().start()
    try:
        yield postgres, redis
    finally:
        postgres.close()
        redis.close()


def compare(bench: Bench, varied: str, cases: Sequence[Case], rounds: int) -> None:
    """Measure `cases`, which differ in what is `varied`, in turns; print a table of them.

    Where workers are varied, beside it what the simulation makes of the first case's stages.
    """
    if not cases:
        return
    turns: dict[Case, list[Turn]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            turns[case] += [bench.turn(case) for _ in range(max(1, AT_LEAST // case.films))]
    print(f"\n| {cases[0].way}: {varied} | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 1)}|")
    first = turns[cases[0]]
    for case in cases:
        simulated = "-" if varied != "workers" else f"{_simulated(first, case):.1f}"
        print(f"| {getattr(case, varied):,} | {' | '.join(_cells(turns[case], first))} | {simulated} |", flush=True)


def _cells(turns: Sequence[Turn], first: Sequence[Turn]) -> list[str]:
    paces = sorted(turn.pace for turn in turns)
    ratio = median(paces) / median(turn.pace for turn in first)
    cells = [*(f"{pace:.1f}" for pace in (median(paces), paces[0], paces[-1])), f"{ratio:.3f}"]
    stages = _stages(turns)
    spent = (sum(stages.values()), sum(stages[stage] for stage in DATABASE), stages["wait"])
    return [*cells, f"{median(turn.last / turn.first for turn in turns):.2f}", *(f"{part:.2f}" for part in spent)]


def _stages(turns: Sequence[Turn]) -> dict[str, float]:
    return {stage: median(turn.stages[stage] for turn in turns) for stage in turns[0].stages}


def _simulated(first: Sequence[Turn], case: Case) -> float:
    cores = len(os.sched_getaffinity(0))
    return foretold(
        _stages(first), workers=case.workers, cores=cores, batch=case.batch, one_writer=case.way == EMBEDDED
    )


if __name__ == "__main__":
    main()
