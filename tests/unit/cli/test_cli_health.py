"""`wetread health`: a process that went round lately is well, and no service is asked for that."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.health import health
from schemas.errors import ServiceUnavailable, WetreadError
from wetread.liveness import SignFile, silences
from wetread.process_identity import here, this_process

URL = "postgresql+psycopg://nobody@127.0.0.1:1/x"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Whoever asked these would fail.
    monkeypatch.setenv("WETREAD_DATABASE_URL", URL)
    monkeypatch.setenv("WETREAD_BROKER_URL", "redis://127.0.0.1:1/0")
    return tmp_path / f"wetread-{os.getuid()}"


def said(*words: str) -> str:
    ended = CliRunner().invoke(health, list(words))
    if ended.exception is not None:
        raise ended.exception
    return ended.stdout


def test_a_process_that_goes_round_is_well_though_no_service_answers() -> None:
    sign = SignFile("worker", URL)
    sign.touch()
    assert said("worker").startswith("1 worker alive here")
    with pytest.raises(WetreadError, match="expected a beat"):
        said("beat")
    with pytest.raises(ServiceUnavailable, match="WETREAD_DATABASE_URL"):
        said("worker", "--ready")
    sign.remove()
    with pytest.raises(WetreadError, match="expected a worker"):
        said("worker")


def test_a_process_that_stands_still_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    SignFile("beat", URL).touch()
    later = time.monotonic() + 61.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert list(silences("beat", URL).of_this_database) == [os.getpid()]
    with pytest.raises(WetreadError, match=f"process {os.getpid()} silent for 6[1-9] s; restart it"):
        said("beat")


def test_the_sign_of_a_process_that_is_gone_counts_for_nothing(own_folder: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    SignFile("worker", URL).touch()
    (mine,) = own_folder.glob("worker-*")
    left = own_folder / "worker-left"
    left.write_text(mine.read_text().replace(f'"{os.getpid()}:', f'"{gone.pid}:'))
    (own_folder / f"worker-{gone.pid}").touch()  # as an earlier version wrote it
    (own_folder / "worker-nonsense").write_text("[]")
    assert list(silences("worker", URL).of_this_database) == [os.getpid()]
    assert not left.exists(), "nobody else would ever take it away"


def test_the_sign_of_another_process_of_the_same_number_counts_for_nothing(own_folder: Path) -> None:
    SignFile("worker", URL).touch()
    (mine,) = own_folder.glob("worker-*")
    me = this_process()
    mine.write_text(mine.read_text().replace(str(me), str(replace(me, start=me.start - 1))))
    assert silences("worker", URL) == ({}, 0)


def test_a_process_of_another_table_that_shares_the_folder_is_not_spoken_of(own_folder: Path) -> None:
    """As of two containers with one /tmp: the same number is another process there, or none."""
    SignFile("worker", URL).touch()
    (mine,) = own_folder.glob("worker-*")
    (own_folder / "worker-other").write_text(mine.read_text().replace(str(here()), f"{here()}1"))
    mine.unlink()
    with pytest.raises(WetreadError, match="expected a worker of this database on this machine, found none of this us"):
        said("worker")
    assert (own_folder / "worker-other").exists(), "it is its own to take away"


def test_a_worker_of_another_database_does_not_make_ours_well() -> None:
    sign = SignFile("worker", "postgresql+psycopg://somebody:secret@db/y")
    sign.touch()
    with pytest.raises(WetreadError, match="none of this user, and 1 of other databases; start one: wetread worker"):
        said("worker")
    sign.remove()
    SignFile("worker", URL.replace("nobody@", "nobody:changed@")).touch()
    assert silences("worker", URL.replace("nobody@", "nobody:another@")).of_this_database, "it is the same database"


def test_a_step_of_the_clock_makes_nobody_silent(own_folder: Path) -> None:
    SignFile("worker", URL).touch()
    (mine,) = own_folder.glob("worker-*")
    for step in (-7200.0, 7200.0):
        os.utime(mine, (time.time() + step,) * 2)
        (silence,) = silences("worker", URL).of_this_database.values()
        assert silence < 60.0


def test_a_folder_that_somebody_else_could_write_is_not_trusted(own_folder: Path) -> None:
    own_folder.mkdir(mode=0o700)
    own_folder.chmod(0o777)
    with pytest.raises(WetreadError, match="ours alone"):
        said("worker")
