"""Which directories can be roots."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import UsageError
from wetread.store.roots.adding import ROOT_BYTES, resolved_roots


def test_a_directory_inside_another_is_walked_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert resolved_roots([str(tmp_path / "a" / "b"), str(tmp_path / "a")]) == [os.fsencode(tmp_path / "a")]


def test_a_root_with_too_long_a_path_is_refused_and_one_above_it_is_not(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["n" * 200] * (ROOT_BYTES // 200 + 1))
    deep.mkdir(parents=True)
    with pytest.raises(UsageError, match="at most 2,000 bytes, found 2,"):
        resolved_roots([str(deep)])
    assert resolved_roots([str(tmp_path)]) == [os.fsencode(tmp_path)]
