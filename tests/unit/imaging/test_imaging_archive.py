"""What a real archive throws at the reader: ../shared/data/archive, which is not part of the repository."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.decode import decode
from wetread.imaging.files import read_file
from wetread.imaging.preprocess import Preprocess

ARCHIVE = Path(__file__).parents[4] / "shared" / "data" / "archive"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not ARCHIVE.is_dir(), reason="the real X-rays are not at ../shared/data/archive"),
]


def archive_files() -> list[bytes]:
    root = os.fsencode(ARCHIVE)
    return sorted(os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names)


def test_every_film_decodes_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    record = Preprocess()
    forms: Counter[tuple[str, int]] = Counter()
    for relative in archive_files():
        grey = decode(read_file(os.fsencode(ARCHIVE), relative).data)
        inputs = record.apply(grey.pixels)
        assert inputs.shape == (record.height, record.width, 1)
        assert inputs.std() > 0.05
        forms[grey.format, grey.channels] += 1
    assert forms == {("jpeg", 3): 66, ("jpeg", 1): 37, ("png", 1): 27, ("png", 3): 25, ("png", 4): 16}
    assert capfd.readouterr() == ("", "")


def test_no_jpeg_cut_at_any_percent_becomes_another_picture() -> None:
    """A cut is rejected; only one that took nothing but bytes after the end marker leaves the same picture."""
    cuts, harmless = 0, set()
    for relative in archive_files():
        data = read_file(os.fsencode(ARCHIVE), relative).data
        if not data.startswith(b"\xff\xd8"):
            continue
        whole = None
        for percent in range(100):
            cuts += 1
            try:
                part = decode(data[: len(data) * percent // 100]).pixels
            except Rejected as error:
                assert error.reason in {Reason.TRUNCATED, Reason.UNDECODABLE}
            else:
                whole = decode(data).pixels if whole is None else whole
                np.testing.assert_array_equal(part, whole)
                harmless.add(relative)
    assert cuts == 103 * 100
    # One film holds itself twice, one JPEG after the other: its second half is bytes after the end.
    assert harmless == {b"cohen/2016/92/cavitating-pneumonia-4-day0-PA.jpg"}


def test_no_png_cut_short_becomes_a_picture() -> None:
    for relative in [name for name in archive_files() if name.endswith(b".png")][::8]:
        data = read_file(os.fsencode(ARCHIVE), relative).data
        for percent in (0, 1, 50, 99):
            with pytest.raises(Rejected):
                decode(data[: len(data) * percent // 100])
        with pytest.raises(Rejected):
            decode(data[:-1])
