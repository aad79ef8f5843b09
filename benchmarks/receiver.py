"""What receiving a film by C-STORE costs, and how many come a second, beside dcmtk's storescp and Orthanc.

    python -m benchmarks.receiver [--films 200] [--associations 10] [--rounds 3]

Each receiver gets the same films over so many storescu at once, in turns, so that a machine that is busy is so to each.
The time of processors is that of the receiver and all its children, ended ones included; the sender's is its own. Ours
answers when file, name and row are synced or committed; storescp and Orthanc (with SyncStorageArea) as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

SIDE = 1024
"""Pixels of a film's side: 2 MiB, as a CR that is reduced."""

PEER = "STORESCU"


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def draw(folder: Path, count: int) -> list[Path]:
    """Write films with instances of their own."""
    # Not above: the receiver's process imports this module, and would have what a drawing of films needs.
    import numpy as np
    from pydicom.uid import generate_uid

    from tests.unit.imaging.dicoms import dicom

    pixels = np.random.default_rng(0).integers(0, 4096, (SIDE, SIDE)).astype(np.uint16)
    paths = []
    for number in range(count):
        pixels[0, 0] = number
        paths.append(folder / f"{number:05}.dcm")
        uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "SOPInstanceUID": generate_uid()}
        paths[-1].write_bytes(dicom(pixels, bits=12, **uids))
    return paths


@contextmanager
def ours(folder: Path, port: int) -> Iterator[psutil.Process]:
    """Give the receiver's process, without what reads films."""
    from gateway.receiving.limits import Limits
    from gateway.receiving.listening_port import opened_port
    from gateway.receiving.readiness import Watermark
    from gateway.receiving.receiver import ReceiverOrder
    from gateway.receiving.receiver_watchdog import ReceiverKeeper
    from gateway.receiving.spool import Spool
    from wetread.clock import utc_now
    from wetread.settings import Settings
    from wetread.store.core.database import Database
    from wetread.store.core.migrating import ensure_schema
    from wetread.store.received.peers import Peer, add_peer
    from wetread.store.received.received_films import open_account
    from wetread.store.roots.adding import root_ids

    settings = Settings(home=folder / "home")
    database, spool = Database(settings.database), Spool(os.fsencode(folder / "spool"))
    ensure_schema(database)
    with database.writing() as session:
        (root,) = root_ids(session, [spool.films])
        open_account(session, root)
        add_peer(session, Peer("storescu", PEER, "127.0.0.1", utc_now()))
    limits = Limits(associations_a_peer=25)
    order = ReceiverOrder(settings, spool.directory, root, ("WETREAD",), limits=limits, watermark=Watermark(0, 0.0))
    keeper = ReceiverKeeper(order, opened_port("127.0.0.1", port, tls=False, plain=False), spool.films)
    keeper.start()
    (process,) = (one for one in psutil.Process().children() if "--multiprocessing-fork" in one.cmdline())
    try:
        yield process
    finally:
        keeper.stop()
        database.dispose()


@contextmanager
def storescp(folder: Path, port: int) -> Iterator[psutil.Process]:
    """Give dcmtk's, a process an association."""
    (folder / "films").mkdir()
    with _started(["storescp", "--fork", "-od", str(folder / "films"), str(port)], port) as process:
        yield process


@contextmanager
def orthanc(folder: Path, port: int) -> Iterator[psutil.Process]:
    """Give Orthanc, which syncs its files."""
    (folder / "orthanc.json").write_text(
        json.dumps({
            "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "storage"), "DicomPort": port,
            "HttpServerEnabled": False, "DicomAet": "WETREAD", "Plugins": [], "SyncStorageArea": True,
            "DicomAlwaysAllowStore": True, "DicomThreadsCount": 10,
        })
    )  # fmt: skip
    program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    with _started([program, str(folder / "orthanc.json")], port) as process:
        yield process


@contextmanager
def _started(command: list[str], port: int) -> Iterator[psutil.Process]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield psutil.Process(started.pid)
        finally:
            started.terminate()


def seconds(process: psutil.Process) -> float:
    """Return the processors' time of a process and of its children, those that have ended included."""
    times = process.cpu_times()
    living = sum(sum(child.cpu_times()[:2]) for child in process.children(recursive=True))
    return float(times.user + times.system + times.children_user + times.children_system + living)


def send(port: int, films: list[Path], associations: int) -> float:
    """Send the films over so many associations at once; return the seconds that it took."""
    began = time.perf_counter()
    senders = [
        subprocess.Popen(["storescu", "-aec", "WETREAD", "127.0.0.1", str(port), *map(str, films[place::associations])])
        for place in range(associations)
    ]
    codes = [sender.wait() for sender in senders]
    if any(codes):
        raise SystemExit(f"expected that each film is taken, found that storescu ended with {codes}")
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiver", description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=200, help="films a round; default: 200")
    parser.add_argument("--associations", type=int, default=10, help="at once; default: 10")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    asked = parser.parse_args()
    count, associations = asked.films, asked.associations
    found: dict[str, list[tuple[float, float, int]]] = {}
    with tempfile.TemporaryDirectory() as directory:
        films = draw(Path(directory), count)
        for number in range(asked.rounds):
            for name, start in (("wetread listen", ours), ("storescp --fork", storescp), ("Orthanc", orthanc)):
                folder, port = Path(directory, f"{number} {start.__name__}"), free_port()
                folder.mkdir()
                with start(folder, port) as process:
                    send(port, films[:associations], associations)
                    before = seconds(process)
                    took = send(port, films[associations:], associations)
                    spent, sent = seconds(process) - before, count - associations
                    memory = process.memory_info().rss
                found.setdefault(name, []).append((1000 * spent / sent, sent / took, memory))
                shutil.rmtree(folder)
    print(
        f"{count} films of {SIDE} x {SIDE} pixels of 16 bits, {associations} associations, "
        f"median of {asked.rounds} rounds"
    )
    print(f"{'':18}{'ms CPU a film':>15}{'films/s':>10}{'MiB':>6}")
    for name, rounds in found.items():
        cpu, rate, memory = (median(column) for column in zip(*rounds, strict=True))
        print(f"{name:18}{cpu:15.1f}{rate:10.0f}{memory / 2**20:6.0f}")


if __name__ == "__main__":
    main()
