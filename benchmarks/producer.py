"""Files a second that a walk records: first and second walk, SQLite and PostgreSQL, and its peak memory.

    python -m benchmarks.producer [--files 1000000] [--only sqlite|postgresql] [--analysed] [--folder /dev/shm]

The files are names of one small file, a thousand a directory, and none is opened. Each walk runs in a process of its
own, as in `wetread submit`. Between the two every image is settled by a statement of ours. PostgreSQL is one that the
benchmark starts; it does not wait for its disk (fsync off). SQLite's file lies in the system's temporary folder.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.memory import megabytes
from producer.ingest import fill_run
from tests.screened import DIGEST, RunKit, nobody_died
from tests.servers.postgres_server import PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.images.places import root_paths
from wetread.store.images.recording import RunToFill
from wetread.store.roots.adding import root_ids
from wetread.store.runs.lifecycle import open_run

SETTLE = (
    "UPDATE work_items SET state = 'done', current = true, size = 7, mtime_ns = (SELECT min(mtime_ns) FROM images"
    " WHERE root_id = (SELECT max(root_id) FROM images))",
    "UPDATE batches SET pending = 0",
    "UPDATE runs SET state = 'finished', done = pending, pending = 0",
)
"""Every file is a name of one file, so that all have one size and time."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.producer", description="Files a second of a walk.")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="default: both")
    parser.add_argument("--analysed", action="store_true", help="ANALYZE between, as autovacuum does in time")
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="where a file may have that many names")  # noqa: S108 - a memory disk
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="wetread-names-") as names:
        link_names(Path(names), chosen.files)
        print(f"{chosen.files:,} files")
        print(f"{'':12}{'first walk':>16}{'second walk':>16}{'ratio':>8}{'MB at most':>12}")
        for kind in (chosen.only,) if chosen.only else ("sqlite", "postgresql"):
            with new_database(kind) as url:
                first = walked(url, names, chosen.files)
                settle_all(url, analysed=chosen.analysed)
                second = walked(url, names, chosen.files)
            rates = f"{first[0]:>10,.0f} files/s{second[0]:>10,.0f} files/s{second[0] / first[0]:>6.1f}"
            print(f"{kind:12}{rates}{max(first[1], second[1]):>12.0f}", flush=True)


def link_names(directory: Path, count: int) -> None:
    """Give one file of 7 bytes `count` names below `directory`, a thousand a folder."""
    film = directory / "film.png"
    film.write_bytes(b"no film")
    for number in range(count - 1):
        if number % 1000 == 0:
            (directory / f"{number // 1000:04d}").mkdir()
        os.link(film, directory / f"{number // 1000:04d}" / f"{number:07d}.png")


@contextmanager
def new_database(kind: str) -> Iterator[str]:
    """Give the URL of an empty database."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="wetread-bench-") as place:
            yield prepared(f"sqlite:///{place}/results.db")
        return
    server = PostgresServer().start()
    try:
        yield prepared(server.create_database("bench"))
    finally:
        server.close()


def prepared(url: str) -> str:
    """Make the tables and a model; return `url`."""
    database = Database(url)
    ensure_schema(database)
    RunKit(database)
    database.dispose()
    return url


def walked(url: str, directory: str, files: int) -> tuple[float, float]:
    """Return files a second of a walk in a new process, and the most memory that it held, MB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_walk, args=(url, os.fsencode(directory), there))
    process.start()
    there.close()
    seconds, found, megabytes = here.recv()
    process.join()
    assert found == files, (found, files)  # noqa: S101 - a figure of fewer files would say nothing
    return files / seconds, megabytes


def _walk(url: str, root: bytes, said: object) -> None:
    database = Database(url)
    with database.writing() as session:
        roots = root_ids(session, [os.path.realpath(root)])
        opened = open_run(session, roots, DIGEST, "numpy", force=False, walker="w:1:1", dead=nobody_died)
        paths = root_paths(session, roots)
    began = time.perf_counter()
    report = fill_run(database, RunToFill(opened.id, "w:1:1", DIGEST, False, 64), paths)
    seconds = time.perf_counter() - began
    database.dispose()
    said.send((seconds, report.pending + report.skipped, megabytes("VmHWM")))  # type: ignore[attr-defined]  # a pipe's end


def settle_all(url: str, *, analysed: bool) -> None:
    """Have every image read, as the second walk is to find it."""
    database = Database(url)
    with database.connecting() as connection:
        for statement in SETTLE:
            connection.exec_driver_sql(statement)
        if analysed:
            connection.exec_driver_sql("ANALYZE")
    database.dispose()


if __name__ == "__main__":
    main()
