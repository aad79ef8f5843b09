"""TIFFs that lie about their pages, their tags or their pixels; OpenCV makes up what is missing."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.pictures import encoded, film, tiff
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2

FILM = film()
TIFF = tiff(FILM)


def rejected(data: bytes) -> Reason:
    with pytest.raises(Rejected) as caught:
        decode(data)
    return caught.value.reason


def test_a_tiff_whose_pixels_are_missing_is_truncated() -> None:
    assert rejected(TIFF[:-100]) is Reason.TRUNCATED


@pytest.mark.parametrize(
    "samples", [FILM, FILM.astype(np.uint16) * 257, FILM.astype(np.float32)], ids=["8", "16", "float"]
)
def test_a_tiff_that_says_it_holds_half_its_pixels_is_truncated(samples: np.ndarray) -> None:
    def halve(entries: dict[int, tuple[int, tuple[int, ...]]]) -> None:
        entries[279] = (4, (entries[279][1][0] // 2,))

    assert rejected(tiff(samples, change=halve)) is Reason.TRUNCATED


@pytest.mark.parametrize("compression", [5, 8], ids=["lzw", "deflate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_compressed_tiff_with_damaged_pixels_is_undecodable(compression: int, dtype: type) -> None:
    whole = encoded(".tif", FILM.astype(dtype), cv2.IMWRITE_TIFF_COMPRESSION, compression)
    np.testing.assert_array_equal(decode(whole).pixels, FILM)
    damaged = whole[:8] + bytes(range(256)) * 4 + whole[8 + 1024 :]
    with pytest.raises(Rejected, match=r"^undecodable: TIFF_Error [A-Z]+Decode"):
        decode(damaged)


def test_a_tiff_of_many_pages_is_rejected() -> None:
    assert rejected(tiff(FILM, pages=2)) is Reason.MULTI_FRAME
    assert rejected(tiff(FILM, order=">", pages=200)) is Reason.MULTI_FRAME


def test_a_reduced_copy_within_a_tiff_is_no_page() -> None:
    assert decode(tiff(FILM, pages=2, tags=[(254, 4, (1,))])).pixels.shape == FILM.shape


def test_a_tiff_whose_pages_run_in_a_circle_is_undecodable() -> None:
    at = 8 + 2 + 12 * 11
    assert TIFF[at : at + 4] == bytes(4)
    assert rejected(TIFF[:at] + struct.pack("<I", 8) + TIFF[at + 4 :]) is Reason.UNDECODABLE


def test_a_bigtiff_that_claims_endless_tags_is_refused_before_they_are_walked() -> None:
    with pytest.raises(Rejected, match="a directory of 5000 tags"):
        decode(struct.pack("<4sHHQQ", b"II+\0", 8, 0, 16, 5000) + bytes(5000 * 20 + 8))
