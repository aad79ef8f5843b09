"""What PostgreSQL and Redis allow: claims, settles, commits and messages a second, and what a connection costs.

    python -m benchmarks.ceilings [--connections 1 2 8 16 64] [--batches 512] [--delays 2 6] [--no-sync] [--messages N]

Connections claim batches of 64 films all at once, then settle them, by the functions that workers use; of one run,
whose row each settle holds until it has committed, and of a run each. PostgreSQL waits for its disk, unless
--no-sync. With --delays a proxy holds back what is sent, so many milliseconds each way: how much slower that makes a
claim, or the settles of one run, says how many round trips each takes. Servers and clients share this machine's cores:
its rates are lower bounds, and `server ms` (of a core, for each) says what the server alone would allow.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import psutil
import psycopg

from benchmarks.archives import machine
from benchmarks.claimants import PHASES, SETTLE, Rate, contend, filled_runs
from benchmarks.messages import hand_over
from benchmarks.slow_network import slow_port
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer

MEGABYTE = 1e6
LOOKS = 20


class SyncedPostgres(PostgresServer):
    """PostgreSQL that waits for its disk, as it does where nobody has told it otherwise."""

    @property
    def command(self) -> list[str]:
        """The tests' command, with their haste taken back."""
        return [word.replace("=off", "=on") for word in super().command]


@dataclass(frozen=True, slots=True)
class Level:
    """How many connections contend, over how many runs, through which delay (milliseconds each way)."""

    connections: int
    runs: int = 1
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a level gave. round_trip: milliseconds; megabytes: that the server holds for each connection alone."""

    rates: dict[str, Rate]
    round_trip: float
    megabytes: float


class Contest:
    """A server and how much each level is to do."""

    def __init__(self, server: PostgresServer, batches: int) -> None:
        self._server, self._batches, self._numbers = server, batches, itertools.count()

    def at(self, level: Level) -> Found:
        """Contend on a new database."""
        url = self._server.create_database(f"level{next(self._numbers)}")
        each = self._batches // level.connections + 1
        made = filled_runs(url, level.runs, each * level.connections // level.runs)
        every = [batch for together in zip(*made, strict=True) for batch in together]
        shares = [every[first :: level.connections] for first in range(level.connections)]
        with _through(url, level.delay) as reached:
            rates, megabytes = contend(reached, shares, self._core_seconds, self._private_megabytes)
            return Found(rates, round_trip(reached), megabytes / level.connections)

    def _children(self) -> list[psutil.Process]:
        assert self._server.process is not None  # noqa: S101 - it was started
        return list(psutil.Process(self._server.process.pid).children())

    def _core_seconds(self) -> float:
        return float(sum(sum(child.cpu_times()[:2]) for child in self._children()))

    def _private_megabytes(self) -> float:
        backends = [child for child in self._children() if "level" in " ".join(child.cmdline())]
        return float(sum(backend.memory_full_info().uss for backend in backends)) / MEGABYTE


@contextmanager
def _through(url: str, delay: int) -> Iterator[str]:
    port = urlsplit(url).port or 0
    with slow_port(port, delay / 1000) if delay else nullcontext(port) as reached:
        yield url.replace(f":{port}/", f":{reached}/")


def round_trip(url: str) -> float:
    """Return the milliseconds of the simplest question over a connection that is there: the median."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        return median(_milliseconds(connection) for _ in range(LOOKS))


def _milliseconds(connection: psycopg.Connection) -> float:
    began = time.perf_counter()
    connection.execute("SELECT 1")
    return 1000 * (time.perf_counter() - began)


def connecting(url: str) -> float:
    """Return the milliseconds that a new connection takes: the median."""
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        psycopg.connect(url.replace("+psycopg", "")).close()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 2, 8, 16, 64])
    parser.add_argument("--batches", type=int, default=512, help="at each level, by all connections together")
    parser.add_argument("--delays", type=int, nargs="*", default=[2, 6], help="milliseconds each way")
    parser.add_argument("--no-sync", action="store_true", help="PostgreSQL does not wait for its disk")
    parser.add_argument("--messages", type=int, default=5_000, help="by each process")
    given = parser.parse_args()
    print(machine(), flush=True)
    if given.connections:
        server = (PostgresServer if given.no_sync else SyncedPostgres)().start()
        try:
            contest(Contest(server, given.batches), given.connections, given.delays)
            print(f"\na new connection takes {connecting(server.url):.1f} ms")
        finally:
            server.close()
    if given.messages:
        messages(given.messages)


def contest(bench: Contest, connections: Sequence[int], delays: Sequence[int]) -> None:
    """Print what each level gave, and how many round trips the delays show."""
    most = max(connections)
    levels = [Level(each) for each in connections] + [Level(most, most)]
    levels += [Level(each, 1, delay) for delay in delays for each in (1, most)]
    print("\n| connections | runs | round trip ms |", end="")
    print("".join(f" {phase}: a second | ms | server ms | client ms |" for phase in PHASES), "MB a connection |")
    print("|---" * (4 + 4 * len(PHASES)) + "|")
    found = {}
    for level in levels:
        found[level] = one = bench.at(level)
        cells = [f"{level.connections}", f"{level.runs}", f"{one.round_trip:.2f}"]
        for rate in (one.rates[phase] for phase in PHASES):
            cells += [f"{rate.per_second:,.0f}"]
            cells += [f"{part:.2f}" for part in (rate.milliseconds, rate.server, rate.client)]
        print("| " + " | ".join([*cells, f"{one.megabytes:.1f}"]) + " |", flush=True)
    if len(delays) > 1:
        trips([found[Level(1, 1, delay)] for delay in delays], [found[Level(most, 1, delay)] for delay in delays])


def trips(alone: Sequence[Found], contended: Sequence[Found]) -> None:
    """Print the round trips that the slowest and the fastest network differ by."""
    apart = alone[-1].round_trip - alone[0].round_trip
    for phase in PHASES:
        took = [found.rates[phase].milliseconds for found in (alone[0], alone[-1])]
        print(f"\n{phase}: {(took[1] - took[0]) / apart:.1f} round trips", end="")
    held = [1000 / found.rates[SETTLE].per_second for found in (contended[0], contended[-1])]
    count = (held[1] - held[0]) / apart
    rest = held[0] - count * contended[0].round_trip
    print(f"\nthe run's row is held for {count:.1f} round trips and {rest:.1f} ms")


def messages(count: int) -> None:
    """Print how fast Redis takes messages and hands them out."""
    server = RedisServer().start()
    try:
        print("\n| processes | published a second | Redis ms | taken a second | Redis ms |\n|---|---|---|---|---|")
        for processes in (1, 2, 4):
            put, got = hand_over(server, processes, count)
            rates = f"{put.per_second:,.0f} | {put.server:.3f} | {got.per_second:,.0f} | {got.server:.3f}"
            print(f"| {processes} | {rates} |", flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
