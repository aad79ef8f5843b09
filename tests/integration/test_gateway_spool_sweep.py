"""Films that lie in the spool without a row are recorded, whatever the clock says, and no film twice."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from gateway.receiving.file_meta import file_head
from gateway.receiving.group_commit import Committer, _Waiting
from gateway.receiving.readiness import Standing, Watermark
from gateway.receiving.spool import Spool, SpooledFilm
from gateway.receiving.spool_sweep import sweep
from tests.associating import DX
from tests.receiving import film
from tests.unit.gateway.data_sets import data_set_of
from wetread.store.core.database import Database
from wetread.store.received.received_films import ReceivedFilm, ReceivedTotals, Sender, open_account, read_received
from wetread.store.roots.adding import root_ids


def opened(database: Database, folder: Path) -> tuple[Spool, int]:
    spool = Spool(os.fsencode(folder))
    with database.writing() as session:
        (root,) = root_ids(session, [spool.films])
        open_account(session, root)
    return spool, root


def placed(spool: Spool, number: int) -> tuple[SpooledFilm, str]:
    body, instance = data_set_of(film(number))
    part = spool.begin()
    part.write(file_head(DX, instance, ExplicitVRLittleEndian) + body)
    part.sync()
    return part.place(), instance


def totals(database: Database) -> ReceivedTotals:
    with database.reading() as session:
        return read_received(session)


def test_a_film_that_an_earlier_process_left_is_adopted_though_its_time_is_to_come(
    database: Database, tmp_path: Path
) -> None:
    spool, root = opened(database, tmp_path)
    left, _ = placed(spool, 1)
    tomorrow = time.time() + 86_400
    os.utime(os.path.join(spool.films, left.path), (tomorrow, tomorrow))
    assert sweep(database, Spool(os.fsencode(tmp_path)), root) == 1
    assert totals(database) == ReceivedTotals(1, 0, 1)


def test_a_film_that_is_about_to_be_recorded_is_left_to_who_records_it(database: Database, tmp_path: Path) -> None:
    spool, root = opened(database, tmp_path)
    came, instance = placed(spool, 1)
    assert sweep(database, spool, root) == 0
    committer = Committer(database, spool, root, Standing(database, spool, Watermark(0, 0.0)), 60.0)
    sender = Sender("PACS", "WETREAD", "10.0.0.1")
    row = ReceivedFilm(instance, DX, ExplicitVRLittleEndian, came.sha256, came.size, came.path, came.mtime_ns, sender)
    committer.record([_Waiting(row)])
    assert (sweep(database, spool, root), spool.unsettled()) == (0, set())
    assert totals(database) == ReceivedTotals(1, 0, 1)


def test_a_film_that_could_not_be_placed_is_not_waited_for(tmp_path: Path) -> None:
    spool = Spool(os.fsencode(tmp_path))
    part = spool.begin()
    part.write(b"a film")
    os.unlink(part._path)
    with pytest.raises(FileNotFoundError):
        part.place()
    assert spool.unsettled() == set()
    part.abandon()
