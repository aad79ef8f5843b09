"""Runs wetread's commands as processes with their own environment, and says when the films of a run were settled."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

ENDS = "SELECT settled_at, count(*) FROM work_items WHERE run_id = {} GROUP BY settled_at"


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with no setting of wetread's but those of `own`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WETREAD_")} | dict(own)


def screen(archive: Path, own: Mapping[str, str], *options: str) -> dict[str, Any]:
    """Run `wetread screen` over `archive`; return what its --json prints."""
    command = [sys.executable, "-m", "cli", "screen", str(archive), "--json", *options]
    said = subprocess.run(command, env=environment(own), check=True, capture_output=True)
    return dict(json.loads(said.stdout))


def batch_ends(own: Mapping[str, str], run: int) -> list[tuple[float, int]]:
    """Return (when, seconds since 1970; films) of each batch that a run has settled, in no order."""
    with closing(_connected(own)) as connection:
        rows = connection.execute(ENDS.format(run)).fetchall()
    return [(_moment(at), count) for at, count in rows]


def _connected(own: Mapping[str, str]) -> Any:
    url = own.get("WETREAD_DATABASE_URL")
    return psycopg.connect(url.replace("+psycopg", "")) if url else sqlite3.connect(f"{own['WETREAD_HOME']}/results.db")


def _moment(at: str | datetime) -> float:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@contextmanager
def worker(own: Mapping[str, str], concurrency: int) -> Iterator[subprocess.Popen[bytes]]:
    """Keep `wetread worker` running; at the end it is asked to end, and killed when that takes too long."""
    command = [sys.executable, "-m", "cli", "worker", "--concurrency", str(concurrency)]
    process = subprocess.Popen(command, env=environment(own), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(45)
        process.kill()
        process.wait()
