from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import UsageError, WetreadError
from trainer.training.resuming import as_json, replace_file, require_same


def test_a_setting_is_the_same_after_a_file_and_another_is_named() -> None:
    kept = as_json({"grid": (8, 8), "epochs": 3, "old": 1})
    require_same(b"here", "things", kept, as_json({"epochs": 3, "old": 1, "grid": [8, 8]}))
    now = {"grid": [8, 8], "epochs": 4, "films": "b" * 64}
    with pytest.raises(UsageError) as refused:
        require_same(b"here", "things", kept | {"films": "a" * 64}, now)
    assert str(refused.value).startswith("here holds things with other settings: epochs (3, now 4), films, old (1,")


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.fsencode(tmp_path / "new folder" / "file")
    replace_file(path, b"first")
    with monkeypatch.context() as patched, pytest.raises(WetreadError, match=r"no power.*what was there before stays"):
        patched.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no power")))
        replace_file(path, b"second")
    with open(path, "rb") as file:
        assert file.read() == b"first"
    replace_file(path, b"third")
    with open(path, "rb") as file:
        assert file.read() == b"third"
    assert os.listdir(os.path.dirname(path)) == [b"file"]
