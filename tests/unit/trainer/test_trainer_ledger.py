from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import UsageError
from trainer.training.ledger import Ledger

SETTING = {"epochs": 3, "grid": (8, 8)}


def test_what_was_kept_is_found_by_the_next_of_the_same_setting(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "out")
    Ledger(SETTING, folder).keep("adam", {"loss": [0.1 + 0.2]})
    again = Ledger(SETTING, folder)
    assert again.find("adam") == {"loss": [0.1 + 0.2]} and again.find("sgd") is None
    again.keep("sgd", 1)
    assert {name: Ledger(SETTING, folder).find(name) for name in ("adam", "sgd")} == {
        "adam": {"loss": [0.1 + 0.2]},
        "sgd": 1,
    }


def test_another_setting_is_refused_and_named(tmp_path: Path) -> None:
    Ledger(SETTING, os.fsencode(tmp_path)).keep("adam", 1)
    with pytest.raises(UsageError, match=r"other settings: epochs \(3, now 4\), seed \(null, now 1\); name"):
        Ledger({"epochs": 4, "grid": [8, 8], "seed": 1}, os.fsencode(tmp_path))
    assert Ledger(SETTING, os.fsencode(tmp_path)).find("adam") == 1


@pytest.mark.parametrize("body", ["", "[]", '{"setting": {}}', '{"setting": {"epochs": 3'])
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "trainings.json").write_text(body)
    with pytest.raises(UsageError, match=r"trainings\.json: expected trainings"):
        Ledger(SETTING, os.fsencode(tmp_path))


def test_a_kill_while_writing_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(SETTING, os.fsencode(tmp_path))
    ledger.keep("adam", 1)

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, "fsync", killed)
        ledger.keep("sgd", 2)
    assert Ledger(SETTING, os.fsencode(tmp_path)).find("adam") == 1


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = Ledger(SETTING)
    ledger.keep("adam", 1)
    assert ledger.find("adam") == 1 and list(tmp_path.iterdir()) == []
