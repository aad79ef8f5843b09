"""`wetread health`: a process that went round lately is well, and no service is asked for that."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from cli.health import health
from schemas.errors import ServiceUnavailable, WetreadError
from wetread.liveness import SignFile, silences


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Whoever asked these would fail.
    monkeypatch.setenv("WETREAD_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/x")
    monkeypatch.setenv("WETREAD_BROKER_URL", "redis://127.0.0.1:1/0")
    return tmp_path / f"wetread-{os.getuid()}"


def said(*words: str) -> str:
    ended = CliRunner().invoke(health, list(words))
    if ended.exception is not None:
        raise ended.exception
    return ended.stdout


def test_a_process_that_goes_round_is_well_though_no_service_answers() -> None:
    sign = SignFile("worker")
    sign.touch()
    assert said("worker").startswith("1 worker alive here")
    with pytest.raises(WetreadError, match="expected a beat"):
        said("beat")
    with pytest.raises(ServiceUnavailable, match="WETREAD_DATABASE_URL"):
        said("worker", "--ready")
    sign.remove()
    with pytest.raises(WetreadError, match="expected a worker"):
        said("worker")


def test_a_process_that_stands_still_is_named(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: 0.0)  # long before its sign
    SignFile("beat").touch()
    before = time.time() - 61.0
    os.utime(own_folder / f"beat-{os.getpid()}", (before, before))
    assert list(silences("beat")) == [os.getpid()]
    with pytest.raises(WetreadError, match=f"process {os.getpid()} silent for 6[1-9] s; restart it"):
        said("beat")


def test_the_sign_of_a_process_that_is_gone_counts_for_nothing(own_folder: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    SignFile("worker").touch()
    (own_folder / f"worker-{gone.pid}").touch()
    (own_folder / "worker-nonsense").touch()
    assert list(silences("worker")) == [os.getpid()]


def test_the_sign_of_another_process_of_the_same_number_counts_for_nothing(own_folder: Path) -> None:
    SignFile("worker").touch()
    os.utime(own_folder / f"worker-{os.getpid()}", (1.0, 1.0))
    assert silences("worker") == {}


def test_a_folder_that_somebody_else_could_write_is_not_trusted(own_folder: Path) -> None:
    own_folder.mkdir(mode=0o700)
    own_folder.chmod(0o777)
    with pytest.raises(WetreadError, match="ours alone"):
        said("worker")
