"""An archive of real files, a run over it, and workers on demand: what `BatchWorker` is tested on."""

from __future__ import annotations

import os
from pathlib import Path

from producer.ingest import fill_run
from tests.screened import nobody_died
from tests.tiny_model import publish_tiny_model
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.recording import RunToFill
from wetread.store.results.columns import ResultRow
from wetread.store.results.finding import Filters, find_results
from wetread.store.roots.adding import root_ids
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.lifecycle import open_run
from wetread.store.work.leases import next_batches
from worker.batch import BatchWorker
from worker.identity import worker_id
from worker.models import ModelShelf


class ReadingSite:
    """An archive, a run over it, and workers on demand."""

    def __init__(self, database: Database, home: Path, archive: Path, batch_size: int = 64) -> None:
        self.database, self.home, self.archive = database, home, archive
        self.digest = publish_tiny_model(database.url, home)
        self.settings = Settings(
            home=home, lease_seconds=0.4, image_seconds=20.0
        )  # a slow machine ends no process of ours
        self.run, self.batch_size = 0, batch_size
        self.screen()

    def screen(self) -> None:
        """Begin a run, or go on with the one that is unfinished, and walk the archive."""
        with self.database.writing() as session:
            root = os.fsencode(self.archive)
            roots = dict(zip(root_ids(session, [root]), [root], strict=True))
            opened = open_run(session, list(roots), self.digest, "numpy", force=False, walker="t:1:1", dead=nobody_died)
        self.run = opened.id
        fill_run(self.database, RunToFill(self.run, "t:1:1", self.digest, False, self.batch_size), roots)

    def worker(self) -> BatchWorker:
        shelf = ModelShelf(Registry(self.database, self.settings.models_directory))
        return BatchWorker(self.database, self.settings, shelf, worker_id())

    def batch(self) -> int | None:
        with self.database.reading() as session:
            return next(iter(next_batches(session, [self.run], 1)), None)

    def account(self) -> RunAccount:
        with self.database.reading() as session:
            return run_account(session, self.run)

    def rows(self) -> list[ResultRow]:
        with self.database.reading() as session:
            return list(find_results(session, Filters(run=self.run)))
