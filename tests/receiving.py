"""A receiver of the tests' own: its process, spool and peers, and films and programs that send to it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from gateway.receiving.limits import Limits
from gateway.receiving.listening_port import opened_port
from gateway.receiving.readiness import Watermark
from gateway.receiving.receiver import ReceiverOrder
from gateway.receiving.receiver_watchdog import ReceiverKeeper
from gateway.receiving.spool import Spool
from tests.unit.imaging.dicoms import dicom
from wetread.clock import utc_now
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.received.peers import Peer, add_peer, list_peers
from wetread.store.received.received_films import ReceivedTotals, open_account, read_received
from wetread.store.roots.adding import root_ids

NO_WATERMARK = Watermark(0, 0.0)
TITLES = ("STORESCU", "ECHOSCU", "ORTHANC", "PYNETDICOM")


def needs(*programs: str) -> None:
    """Skip the test where a program is not installed, and fail it under CI=true."""
    if missing := [program for program in programs if path_of(program) is None]:
        message = f"{', '.join(missing)} not found; on Debian: apt-get install dcmtk orthanc"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def path_of(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def film(number: int, syntax: str = ExplicitVRLittleEndian, *, side: int = 96, **elements: object) -> bytes:
    """A DX with a UID of its own."""
    y, x = np.mgrid[0:side, 0:side]
    noise = np.random.default_rng(number).integers(0, 512, (side, side))
    pixels = ((y + x) % 256 * 8 + noise).astype(np.uint16)
    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "SOPInstanceUID": generate_uid()}
    return dicom(pixels, syntax, bits=12, **(uids | elements))


def write_films(folder: Path, count: int, **elements: object) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04}.dcm" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(film(number, **elements))  # type: ignore[arg-type] # keywords of two kinds
    return paths


def storescu(
    port: int, *files: Path | str, options: Sequence[str] = (), timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    command = ["storescu", "-ta", "120", *options, "-aec", "WETREAD", "127.0.0.1", str(port), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def echoscu(port: int, *options: str, timeout: float = 60) -> bool:
    command = ["echoscu", *options, "127.0.0.1", str(port)]
    return subprocess.run(command, capture_output=True, timeout=timeout, check=False).returncode == 0


@dataclass
class Receiving:
    """A spool, its database, and the receiver's process over them."""

    database: Database
    folder: Path
    limits: Limits = field(default_factory=Limits)
    watermark: Watermark = NO_WATERMARK
    everything: bool = False
    tls: tuple[str, str, str] | None = None
    spool_path: Path | None = None
    keeper: ReceiverKeeper | None = None
    served_seconds: float = 5.0

    def __post_init__(self) -> None:
        self.spool_path = self.spool_path or self.folder / "spool"
        self.spool = Spool(os.fsencode(self.spool_path))
        with self.database.writing() as session:
            (self.root_id,) = root_ids(session, [self.spool.films])
            open_account(session, self.root_id)
        with self.database.writing() as session:
            known = {peer.title for peer in list_peers(session)}
            for title in set(TITLES) - known:
                add_peer(session, Peer(title.lower(), title, "127.0.0.0/8", utc_now()))

    def start(self) -> Receiving:
        settings = Settings(home=self.folder / "home", database_url=self.database.url)  # type: ignore[arg-type] # a secret
        order = ReceiverOrder(
            settings, self.spool.directory, self.root_id, ("WETREAD",), self.everything, self.tls, self.limits,
            self.watermark,
        )  # fmt: skip
        self.keeper = ReceiverKeeper(order, opened_port("127.0.0.1", 0, tls=False, plain=False), self.spool.films)
        self.keeper.start()
        self.watch_until_serving()
        return self

    @property
    def port(self) -> int:
        assert self.keeper is not None
        return self.keeper.port

    @property
    def process(self) -> psutil.Process:
        assert self.keeper is not None and self.keeper._process is not None
        return psutil.Process(self.keeper._process.pid)

    def kill(self) -> None:
        assert self.keeper is not None and self.keeper._process is not None
        self.keeper._process.kill()
        self.keeper._process.join(60)  # or it would count as serving still

    def watch_until_serving(self, seconds: float = 180.0) -> None:
        assert self.keeper is not None
        end = time.monotonic() + seconds
        while True:
            self.keeper.watch(0.1)
            if self.keeper._serves:
                return
            assert time.monotonic() < end, "the receiver did not come back"

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.stop()

    def totals(self) -> ReceivedTotals:
        with self.database.reading() as session:
            return read_received(session)

    def files(self) -> list[Path]:
        return sorted(Path(os.fsdecode(self.spool.films)).rglob("*.dcm"))

    def parts(self) -> list[Path]:
        return list(Path(os.fsdecode(self.spool.directory), "incoming").iterdir())


def connected(port: int, timeout: float = 30.0) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    connection.settimeout(timeout)
    return connection
