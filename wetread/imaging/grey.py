"""Decoded samples to one grey channel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.native_stderr import codec_messages
from wetread.imaging.opencv import cv2

Pixels = npt.NDArray[Any]
"""Grey pixels, (height, width), uint8, uint16 or float32; a larger value is brighter."""

# libjpeg and libtiff fill in what is missing or damaged, or leave it out, and go on, and OpenCV returns the
# picture; a film that is partly made up must not be scored.
_MADE_UP = {
    "premature end": Reason.TRUNCATED,
    "bad huffman code": Reason.UNDECODABLE,
    "instead of rst": Reason.UNDECODABLE,
    "tiff_error": Reason.UNDECODABLE,
}


def decoded(data: bytes, flags: int) -> Pixels:
    """Decode with OpenCV; raise Rejected UNDECODABLE, or TRUNCATED where the decoder had to make up an end.

    Raises cv2.error where OpenCV does.
    """
    with codec_messages() as messages:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        finally:
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    refuse_made_up(messages)
    if pixels is None or pixels.size == 0:
        raise Rejected(Reason.UNDECODABLE, messages[0] if messages else "the decoder found no picture in it")
    return pixels


def refuse_made_up(messages: Iterable[str]) -> None:
    """Raise Rejected TRUNCATED or UNDECODABLE where a codec's messages say that it made up some of the picture."""
    for message in messages:
        for sign, reason in _MADE_UP.items():
            if sign in message.lower():
                raise Rejected(reason, message)


def to_grey(pixels: Pixels) -> Pixels:
    """Return (height, width) of OpenCV's grey, BGR or BGRA samples: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    if pixels.ndim == 2:
        return pixels
    code = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return cv2.cvtColor(pixels, code)


def alpha_over_black(pixels: Pixels) -> Pixels:
    """Return (height, width) grey of BGRA samples of 8 or 16 bits, each weighted by its alpha."""
    grey = to_grey(pixels)
    alpha = pixels[:, :, 3]
    opaque = np.iinfo(alpha.dtype).max
    if alpha.min() == opaque:
        return grey
    weighted = cv2.multiply(grey, alpha, scale=1 / opaque, dtype=cv2.CV_32F)
    return np.rint(weighted).astype(grey.dtype)
