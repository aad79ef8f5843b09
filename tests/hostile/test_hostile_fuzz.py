"""Mutated files by the thousand: each decodes or is rejected, and no decoder dies, hangs or eats the memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hostile import fuzz as fuzzing
from tests.hostile.fuzz import fuzz
from tests.hostile.fuzz_seeds import FORMATS
from tests.hostile.mutations import mutated
from tests.program import REPOSITORY

FILES = 20_000
SEED = 6


def test_twenty_thousand_mutated_files_decode_or_are_rejected(tmp_path: Path) -> None:
    report = fuzz(FILES, SEED, tmp_path, processes=2)
    assert report.faults == []
    assert {form: report.of(form) for form in FORMATS} == dict.fromkeys(FORMATS, FILES // len(FORMATS))
    for form in FORMATS:
        decoded, refused = report.gave[form, "decoded"], report.gave[form, "undecodable"]
        assert min(decoded, refused) > FILES // 100, "mutations that all end in the same way try little"


# Patches the decoder of every process that starts: it dies on one file, fails on another and hangs on a third.
AT_FAULT = """
import os, time
import wetread.imaging.decode as module
from tests.hostile.mutations import mutated
real = module.decode
faults = {mutated("png", 20, 1): os.abort, mutated("png", 40, 1): lambda: {}[0], mutated("png", 60, 1): lambda: time.sleep(600)}
def decode(data, enough=module.ALL):
    faults.get(data, str)()
    return real(data, enough)
module.decode = decode
"""  # noqa: E501  a script on as few lines as it is read in


def test_a_file_at_fault_is_noticed_and_kept_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_FAULT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(REPOSITORY)]))
    monkeypatch.setattr(fuzzing, "FILE_SECONDS", 4.0)
    monkeypatch.setattr(fuzzing, "FORMATS", ("png",))
    kept = tmp_path / "kept"
    kept.mkdir()
    report = fuzz(80, 1, kept)
    assert [(fault.number, fault.what.split(":")[0]) for fault in report.faults] == [
        (20, "ended its process with -6"), (40, "KeyError"), (60, "took longer than 4 s")
    ]  # fmt: skip
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        f"png-1-{number}": mutated("png", number, 1) for number in (20, 40, 60)
    }
