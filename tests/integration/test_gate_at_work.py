"""Pictures that are no films among films: rejected as such by every engine, on both databases, and counted so."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from producer.ingest import fill_run
from schemas.labels import PAPER_LABELS
from schemas.reasons import Reason
from schemas.states import RunState
from tests.screened import nobody_died
from tests.tiny_model import tiny_contents
from trainer.gate.fitting import fit_gate
from trainer.gate.non_films import draw_non_film
from trainer.phantoms.archive import phantom
from wetread.imaging.opencv import cv2
from wetread.models.gate import Gate
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
from worker.batch import BatchWorker, Ending
from worker.identity import worker_id
from worker.models import ModelShelf

NO_FILMS = ("page", "landscape", "hand", "noise")


@pytest.fixture(scope="session")
def gate() -> Gate:
    preprocess = tiny_contents().preprocess
    drawn = [preprocess.levels(phantom(PAPER_LABELS[seed % 3], seed, 160)) for seed in range(40)]
    return fit_gate(preprocess, np.stack(drawn[:30]), np.stack(drawn[30:]))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Five films, one of them turned upside down, and four pictures of other things, one under two names."""
    directory = tmp_path / "archive"
    directory.mkdir()
    pictures = {f"film-{seed}": phantom(PAPER_LABELS[seed % 3], 500 + seed, 200) for seed in range(4)}
    pictures["turned"] = np.ascontiguousarray(phantom("normal", 600, 200)[::-1])
    pictures |= {f"other-{kind}": draw_non_film(kind, 77) for kind in NO_FILMS}
    pictures["copy"] = pictures["other-page"]
    for name, pixels in pictures.items():
        (directory / f"{name}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return directory


class Site:
    def __init__(self, database: Database, home: Path, archive: Path, gate: Gate | None) -> None:
        self.database, self.archive, self.settings = database, archive, Settings(home=home)
        self.registry = Registry(database, self.settings.models_directory)
        self.digest = self.publish(gate)

    def publish(self, gate: Gate | None) -> str:
        body = None if gate is None else gate.to_json()
        return self.registry.publish(replace(tiny_contents(), gate=body)).digest

    def screen(self, engine: str = "numpy", *, force: bool = False) -> RunAccount:
        root = os.fsencode(self.archive)
        with self.database.writing() as session:
            roots = dict(zip(root_ids(session, [root]), [root], strict=True))
            run = open_run(session, list(roots), self.digest, engine, force=force, walker="t:1:1", dead=nobody_died).id
        fill_run(self.database, RunToFill(run, "t:1:1", self.digest, force, 4), roots)
        worker = BatchWorker(self.database, self.settings, ModelShelf(self.registry), worker_id())
        while (batch := self.batch(run)) is not None:
            assert worker.process_batch(batch) == Ending.SETTLED
        with self.database.reading() as session:
            return run_account(session, run)

    def batch(self, run: int) -> int | None:
        with self.database.reading() as session:
            return next(iter(next_batches(session, [run], 1)), None)

    def rows(self, run: int) -> dict[str, ResultRow]:
        with self.database.reading() as session:
            return {os.fsdecode(row.path).rsplit("/", 1)[-1]: row for row in find_results(session, Filters(run=run))}


ENGINES = [
    pytest.param("numpy", "numpy", id="numpy"),
    pytest.param("keras", "tensorflow", marks=pytest.mark.keras, id="keras"),
    pytest.param("onnx", "onnxruntime", marks=pytest.mark.onnx, id="onnx"),
]


@pytest.mark.parametrize(("engine", "library"), ENGINES)
def test_what_is_no_film_is_rejected_and_the_films_are_read(
    database: Database, tmp_path: Path, archive: Path, gate: Gate, engine: str, library: str
) -> None:
    pytest.importorskip(library)
    site = Site(database, tmp_path / "home", archive, gate)
    account = site.screen(engine)
    assert account.state == RunState.FINISHED
    assert (account.found, account.done, account.rejected, account.dead) == (10, 4, 6, 0)
    assert account.rejected_reasons == {Reason.NOT_A_FILM: 6}
    rows = site.rows(account.id)
    for name, row in rows.items():
        if name.startswith("film-"):
            assert (row.state, row.reason) == ("done", None)
            assert row.probability is not None
        else:
            assert (row.state, row.reason, row.probability) == ("rejected", Reason.NOT_A_FILM, None)
            assert "gate score" in str(row.detail)
            assert row.sha256 is not None


def test_a_second_run_counts_them_as_skipped_and_a_forced_one_looks_again(
    database: Database, tmp_path: Path, archive: Path, gate: Gate
) -> None:
    site = Site(database, tmp_path / "home", archive, gate)
    site.screen()
    again = site.screen()
    assert (again.found, again.skipped, again.rejected, again.done) == (10, 10, 0, 0)
    forced = site.screen(force=True)
    assert (forced.skipped, forced.rejected, forced.done) == (0, 6, 4)


def test_another_model_reads_what_this_one_rejected(
    database: Database, tmp_path: Path, archive: Path, gate: Gate
) -> None:
    site = Site(database, tmp_path / "home", archive, gate)
    site.screen()
    site.digest = site.publish(None)
    account = site.screen()
    assert (account.found, account.done, account.rejected, account.skipped) == (10, 10, 0, 0)


def test_an_archive_without_a_film_is_rejected_whole(
    database: Database, tmp_path: Path, archive: Path, gate: Gate
) -> None:
    for film in archive.glob("film-*"):
        film.unlink()
    account = Site(database, tmp_path / "home", archive, gate).screen()
    assert (account.state, account.found, account.rejected) == (RunState.FINISHED, 6, 6)
