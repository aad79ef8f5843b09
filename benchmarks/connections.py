"""Counts the connections of `wetread worker` to PostgreSQL and Redis while it reads, by its number of processes.

    python -m benchmarks.connections [--processes 1 2 4] [--films 1000]

The films are small and drawn; `wetread submit` has recorded them and gone, so that nobody else is connected but who
counts. Prints Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis

from benchmarks.commands import environment, worker
from tests.chaos.films import draw_films
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer

LOOK_SECONDS = 0.02
LIMIT_SECONDS = 120.0
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)
PENDING = "SELECT sum(pending) FROM runs"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--films", type=int, default=1_000)
    given = parser.parse_args()
    postgres, broker = PostgresServer().start(), RedisServer().start()
    try:
        with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
            archive = Path(place) / "films"
            draw_films(archive, given.films, seed=1)
            print("| processes | to PostgreSQL, most | to Redis, most |\n|---|---|---|")
            for processes in given.processes:
                broker.flush()
                own = {
                    "WETREAD_HOME": place,
                    "WETREAD_DATABASE_URL": postgres.create_database(f"of{processes}"),
                    "WETREAD_BROKER_URL": broker.url,
                }
                database, queue = most_connections(own, archive, processes)
                print(f"| {processes} | {database} | {queue} |", flush=True)
    finally:
        postgres.close()
        broker.close()


def most_connections(own: Mapping[str, str], archive: Path, processes: int) -> tuple[int, int]:
    """Return the most connections to PostgreSQL and to Redis at any look while a worker reads `archive`."""
    submit = [sys.executable, "-m", "cli", "submit", str(archive)]
    subprocess.run(submit, env=environment(own), check=True, capture_output=True)
    most, end = (0, 0), time.monotonic() + LIMIT_SECONDS
    url = own["WETREAD_DATABASE_URL"].replace("+psycopg", "")
    with (
        psycopg.connect(url, autocommit=True) as connection,
        redis.Redis.from_url(own["WETREAD_BROKER_URL"]) as client,
        worker(own, processes),
    ):
        while _one(connection, PENDING):
            if time.monotonic() > end:
                sys.exit(f"expected all films read within {LIMIT_SECONDS:g} s, found some pending")
            most = max(most[0], _one(connection, OTHERS)), max(most[1], len(client.client_list()) - 1)
            time.sleep(LOOK_SECONDS)
    return most


def _one(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])


if __name__ == "__main__":
    main()
