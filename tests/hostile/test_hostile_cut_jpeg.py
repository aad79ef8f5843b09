"""JPEGs of phantoms cut at every hundredth of their length: OpenCV would return a picture for most of them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.pictures import encoded
from trainer.phantoms.archive import phantom
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2

FILM = phantom("pneumonia", seed=3, size=384)
COLOUR = np.dstack([FILM, FILM, 255 - FILM])
KINDS = {
    "baseline": encoded(".jpg", FILM),
    "progressive": encoded(".jpg", FILM, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarting": encoded(".jpg", FILM, cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
    "colour": encoded(".jpg", COLOUR),
    "progressive colour": encoded(".jpg", COLOUR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
}
NEVER_A_SCORE = {Reason.TRUNCATED, Reason.UNDECODABLE}
END = b"\xff\xd9"


def reason(data: bytes) -> Reason | None:
    try:
        decode(data)
    except Rejected as fault:
        return fault.reason
    return None


@pytest.mark.parametrize("whole", KINDS.values(), ids=KINDS.keys())
def test_a_jpeg_cut_at_any_hundredth_is_never_read(whole: bytes) -> None:
    assert reason(whole) is None
    cuts = [whole[: len(whole) * percent // 100] for percent in range(100)]
    assert {reason(cut) for cut in cuts} <= NEVER_A_SCORE
    assert {reason(cut + bytes(len(whole) - len(cut))) for cut in cuts} <= NEVER_A_SCORE, "padded to its size"


@pytest.mark.parametrize("whole", KINDS.values(), ids=KINDS.keys())
def test_one_cut_and_closed_again_is_never_read(whole: bytes) -> None:
    """A tool that mends half a download adds an end marker, which a progressive one takes best between two scans."""
    hundredths = [len(whole) * percent // 100 for percent in range(100)]
    between = [found.start() for found in re.finditer(rb"\xff[\xc4\xda]", whole)]
    assert {reason(whole[:cut].rstrip(b"\xff") + END) for cut in hundredths + between} <= NEVER_A_SCORE
