"""A film that another program writes over a thousand times while it is read: one film or the other, never a mix."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.hostile.rewriter import DIARY_BYTES, Diary
from tests.program import REPOSITORY
from tests.unit.imaging.pictures import film, tiff
from wetread.imaging import files
from wetread.imaging.decode import decode
from wetread.imaging.files import FRESH_SECONDS, read_file

WRITES = 1_000


@dataclass
class Attentive:
    """Reads as `files` does, and notes whether the writer stood still in the middle of a write."""

    diary: Diary
    stood_still: bool = field(default=False, init=False)

    def read(self, descriptor: int, count: int, moved: Callable[[], None]) -> bytes:
        before, began = self.diary.read()
        waited = time.monotonic() - began
        data = _read_up_to(descriptor, count, moved)
        after, _ = self.diary.read()
        # A write that stands still, since the machine gave its time to others, is half done on the disk too.
        self.stood_still = before == after and before % 2 == 1 and waited > FRESH_SECONDS
        return data


_read_up_to = files._read_up_to


def test_a_film_written_over_a_thousand_times_is_read_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {}
    for name, seed in (("one", 1), ("other", 2)):
        data = tiff(film(1024, 1024, seed))
        assert decode(data).pixels.shape == (1024, 1024)
        (tmp_path / name).write_bytes(data)
        known[hashlib.sha256(data).hexdigest()] = data
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "film.tif").write_bytes((tmp_path / "one").read_bytes())
    (tmp_path / "diary").write_bytes(bytes(DIARY_BYTES))
    attentive = Attentive(Diary(str(tmp_path / "diary")))
    monkeypatch.setattr(files, "_read_up_to", attentive.read)
    names = ("archive/film.tif", "diary", WRITES, "one", "other")
    command = [str(name) if name == WRITES else str(tmp_path / str(name)) for name in names]
    writer = subprocess.Popen([sys.executable, "-m", "tests.hostile.rewriter", *command], cwd=REPOSITORY)
    accepted, changed = dict.fromkeys(known, 0), 0
    try:
        while writer.poll() is None:
            try:
                found = read_file(os.fsencode(tmp_path / "archive"), b"film.tif")
            except Rejected as fault:
                assert fault.reason is Reason.CHANGED
                changed += 1
                continue
            assert found.sha256 == hashlib.sha256(found.data).hexdigest()
            assert found.sha256 in known or attentive.stood_still, "a mix of the two films"
            accepted[found.sha256] = accepted.get(found.sha256, 0) + 1
    finally:
        writer.kill()
        writer.wait()
    assert attentive.diary.read()[0] == 2 * WRITES
    assert all(accepted.values()), "some reads fell between two writes"
    assert changed, "and some did not"
