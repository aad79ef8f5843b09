"""The key for patients' ids: from the settings, or made once, or none."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from schemas.errors import ServiceUnavailable, UsageError
from wetread.patient_key import patient_key
from wetread.settings import Settings


def settings(home: Path, **more: str) -> Settings:
    return Settings(home=home, **{name: SecretStr(value) for name, value in more.items()})


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    mine = settings(tmp_path / "home")
    key = patient_key(mine)
    assert key is not None and len(key) == 32
    assert patient_key(mine) == key
    assert [path.name for path in mine.home.iterdir()] == ["patient.key"]
    assert stat.S_IMODE(mine.patient_key_file.stat().st_mode) == 0o600
    assert patient_key(settings(tmp_path / "other")) != key
    assert str(mine.patient_key_file) in mine.own_paths


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    for number in range(20):
        mine, found, barrier = settings(tmp_path / str(number)), set[bytes | None](), threading.Barrier(8)

        def ask(mine: Settings = mine, found: set[bytes | None] = found, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            found.add(patient_key(mine))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 1
        assert len(list(mine.home.iterdir())) == 1


def test_a_database_elsewhere_has_no_key_but_the_one_that_is_set(tmp_path: Path) -> None:
    url = "postgresql+psycopg://wetread@db.example/wetread"
    assert patient_key(settings(tmp_path, database_url=url)) is None
    assert patient_key(settings(tmp_path, database_url=url, patient_key="k" * 32)) == b"k" * 32
    assert patient_key(settings(tmp_path, patient_key="k" * 32)) == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused_and_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="at least 32 characters, found 6") as caught:
        settings(tmp_path, patient_key="secret")
    assert "secret" not in caught.value.errors()[0]["msg"]


def test_a_file_that_is_no_key_is_not_taken_for_one(tmp_path: Path) -> None:
    mine = settings(tmp_path)
    mine.patient_key_file.write_bytes(b"cut")
    with pytest.raises(UsageError, match="found 3"):
        patient_key(mine)


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(ServiceUnavailable, match="WETREAD_PATIENT_KEY"):
        patient_key(settings(tmp_path / "home"))
