"""JPEG and JPEG-LS within a DICOM file, to the samples of the codestream.

JPEG is decoded by libjpeg-turbo, which makes up what coded data lacks. Its warnings do not come through, so whether it
had to is found out here. CharLS, for JPEG-LS, says so itself.

Source of the lossless process: ITU-T T.81, annex H.
"""

from __future__ import annotations

import re
from functools import cache, partial

import imagecodecs
import numpy as np
import numpy.typing as npt

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.dicom.codestream import JpegStream
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_BEHIND = (bytes(64), b"\xaa" * 64)
"""Bits that go on differently from the first on: a scan that lacks its end takes the one or the other."""
_ROWS = 512
"""Looked at together, so that what is made of them stays in the processor's cache, and OpenCV counts exactly."""


def jpeg_ls_samples(codestream: bytes) -> Pixels:
    """Decode a JPEG-LS to (height, width[, samples]) uint8 or uint16; raises what CharLS does."""
    return imagecodecs.jpegls_decode(codestream)


def jpeg_samples(codestream: bytes, stream: JpegStream, *, lossless: bool) -> Pixels:
    """Decode to (height, width[, samples]), uint8 or uint16, colours as they are stored.

    stream: what `check_jpeg` returned of it. Raises Rejected TRUNCATED where coded data ends before the picture, and
    what libjpeg-turbo does.
    """
    if len(stream.components) == 1:
        decode = imagecodecs.jpeg8_decode
    else:
        stored = "RGB" if lossless else "YCBCR"  # the same in as out: nothing is converted
        decode = partial(imagecodecs.jpeg8_decode, colorspace=stored, outcolorspace=stored)
    _check_restarts(codestream, stream)
    if lossless and not stream.restarts and len(stream.components) == 1 and stream.scans[0][-3:] == b"\1\0\0":
        samples: Pixels = decode(codestream)
        whole = _bits_needed(samples, stream) <= _bits_given(codestream, stream)
    else:
        samples, again = (decode(_with_behind(codestream, stream, more)) for more in _BEHIND)
        whole = np.array_equal(samples, again)
    if not whole:
        raise Rejected(Reason.TRUNCATED, "DICOM whose JPEG lacks coded data")
    return samples


def _check_restarts(codestream: bytes, stream: JpegStream) -> None:
    """Check that no interval is missing within a scan: they are counted from 0 to 7."""
    if not stream.restarts:
        return
    for start, end in stream.coded:
        counted = b"".join(found[0][1:] for found in _RESTART.finditer(codestream, start, end))
        if counted != bytes(0xD0 + number % 8 for number in range(len(counted))):
            raise Rejected(Reason.UNDECODABLE, "DICOM whose JPEG lacks a restart interval")


def _with_behind(codestream: bytes, stream: JpegStream, more: bytes) -> bytes:
    """Return the codestream with more bits behind each interval of coded data, where decoders leave them out."""
    parts, position = list[bytes](), 0
    for start, end in stream.coded:
        parts.append(codestream[position:start])
        parts.append(_RESTART.sub(lambda found: more + found[0], codestream[start:end]) + more)
        position = end
    return b"".join([*parts, codestream[position:]])


def _bits_given(codestream: bytes, stream: JpegStream) -> int:
    """Return the bits of a scan without restarts: behind each 0xFF lies a byte that carries none."""
    ((start, end), *_) = stream.coded
    coded = np.frombuffer(codestream, np.uint8, end - start, start)
    return 8 * (coded.size - int(np.count_nonzero(coded == 0xFF)))


def _bits_needed(samples: Pixels, stream: JpegStream) -> float:
    """Return how many bits code the samples, (height, width), each by its difference from the one on its left.

    Each first of a row is coded by the difference from the one above, the first of all from the middle.
    """
    counts = np.zeros(2**16)
    above = 2 ** (stream.precision - 1)
    for start in range(0, len(samples), _ROWS):
        rows = samples[start : start + _ROWS].astype(np.uint16, copy=False)
        differences = np.empty_like(rows)
        np.subtract(rows[:, 1:], rows[:, :-1], out=differences[:, 1:])
        np.subtract(rows[1:, 0], rows[:-1, 0], out=differences[1:, 0])
        differences[0, 0] = (int(rows[0, 0]) - above) % 2**16
        above = int(rows[-1, 0])
        counts += cv2.calcHist([differences], [0], None, [2**16], [0, 2**16]).ravel()
    code = stream.tables[stream.scans[0][2] >> 4]
    most = 2**16  # a difference that has no code was made up
    bits = np.array([code.get(size, most) + size % 16 for size in range(17)])
    return float(counts @ bits[_sizes()])


@cache
def _sizes() -> npt.NDArray[np.uint8]:
    """Return the size of each difference, as 16 bits in two's complement: the bits that its value takes, 0 to 16."""
    apart = np.abs(np.arange(2**16, dtype=np.uint16).view(np.int16).astype(np.int32))
    return np.frexp(apart.astype(np.float64))[1].astype(np.uint8)
