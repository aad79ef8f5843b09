"""A place to pull into of the tests' own, and films for a PACS to have."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.calling.patience import CallPatience
from gateway.pulling.pull_order import PullOrder, Wanted
from gateway.pulling.pulling import Pulling
from gateway.receiving.readiness import Watermark
from tests.receiving import film
from tests.servers.orthanc_server import DICOMWEB
from wetread.clock import utc_now
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.received.peers import Calls, Peer, add_peer
from wetread.store.received.pulls import PullRow

DAY = "20260301"


def needs_dicomweb() -> None:
    """Skip the test where Orthanc's plugin is not installed, and fail it under CI=true."""
    if os.path.exists(DICOMWEB):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("orthanc-dicomweb not found; on Debian: apt-get install orthanc-dicomweb")
    pytest.skip("orthanc-dicomweb not found; on Debian: apt-get install orthanc-dicomweb")


def study_film(study: int, number: int = 0, *, day: str = DAY, side: int = 32, **elements: object) -> bytes:
    """A film of a study of its own, taken at a time of its own; `number` parts films of one study."""
    second = study * 307 % 86_400
    named: dict[str, Any] = {
        "StudyInstanceUID": f"1.2.826.5.{study}", "SeriesInstanceUID": f"1.2.826.5.{study}.1",
        "SOPInstanceUID": f"1.2.826.5.{study}.1.{number}", "StudyDate": day, "Modality": "DX",
        "StudyTime": f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}", "PatientID": f"P{study}",
        "PatientName": f"Doe^{study}", "StudyID": str(study), "AccessionNumber": f"A{study}",
    }  # fmt: skip
    return film(study * 100 + number, side=side, **(named | elements))


@dataclass
class PullKit:
    """A database with one peer, "pacs", and a spool."""

    database: Database
    folder: Path
    calls: Calls
    title: str = "ORTHANC"
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        with self.database.writing() as session:
            add_peer(session, Peer("pacs", self.title, "127.0.0.1", utc_now(), self.calls))
        self.settings = Settings(home=self.folder / "home", database_url=self.database.url)  # type: ignore[arg-type] # a secret

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def pulling(self, wanted: Wanted, via: str = "auto", **order: object) -> Pulling:
        told = PullOrder("pacs", wanted, via, watermark=Watermark(0, 0.0), **order)  # type: ignore[arg-type] # of several types
        return Pulling.open(self.database, self.settings, told, os.fsencode(self.spool), self.stop)

    def pull(
        self,
        wanted: Wanted,
        via: str = "auto",
        quick: Callable[[CallPatience], CallPatience] | None = None,
        **order: object,
    ) -> PullRow:
        pulling = self.pulling(wanted, via, **order)
        if quick is not None:
            pulling.patience = quick(pulling.patience)
        return pulling.pull()

    def files(self) -> list[Path]:
        return sorted((self.spool / "films").rglob("*.dcm"))

    def left_over(self) -> list[Path]:
        return list((self.spool / "fetching").iterdir())


def accounts(row: PullRow) -> tuple[int, ...]:
    """asked, pending, received, failed, gone, not_wanted."""
    return row.asked, row.pending, row.received, row.failed, row.gone, row.not_wanted
