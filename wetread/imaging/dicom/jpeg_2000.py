"""JPEG 2000 and HTJ2K within a DICOM file: whether the codestream is whole, and its samples, all or a level of them.

A wavelet keeps a picture as one of half its size and what that lacks, and so on, level by level. What is reduced
afterwards can be decoded at the least level that is large enough.

Source of the layout: ITU-T T.800 (JPEG 2000), annex A; T.814 (HTJ2K), annex A.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.dicom.codestream import check_size, unlike
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

_START, _END, _START_OF_TILE, _SIZE = b"\xff\x4f\xff\x51", 0xFFD9, 0xFF90, 0xFF51
_CODING, _COMPONENT_CODING = 0xFF52, 0xFF53
_LEVELS_LIMIT = 32


@dataclass(slots=True)
class Jpeg2000Stream:
    """What a codestream says of itself.

    size: (height, width). precision: bits of a sample. signed: samples are in two's complement.
    components: samples of a pixel. whole_pixels: each component has a sample of every pixel.
    levels: how often it can be halved.
    """

    size: tuple[int, int] | None = None
    precision: int = 0
    signed: bool = False
    components: int = 0
    whole_pixels: bool = False
    levels: int = _LEVELS_LIMIT


def check_jpeg_2000(codestream: bytes, width: int, height: int, bits: int, samples: int) -> Jpeg2000Stream:
    """Check a JPEG 2000 or HTJ2K, and return what it says: its tile parts must follow each other to the end marker.

    bits: allocated to a sample, 8 or 16. samples: of a pixel. Raises Rejected TRUNCATED or UNDECODABLE.
    """
    if not codestream.startswith(_START):
        raise unlike("no JPEG 2000")
    found, position = Jpeg2000Stream(), 2
    try:
        while True:
            (marker,) = struct.unpack_from(">H", codestream, position)
            if marker == _END:
                break
            if marker == _START_OF_TILE:
                (length,) = struct.unpack_from(">I", codestream, position + 6)
                if length == 0:  # the last tile part reaches to the end marker
                    length = len(codestream.rstrip(b"\0")) - 2 - position
                position += max(length, 12)
                continue
            _note_header(found, marker, codestream, position)
            position += 2 + struct.unpack_from(">H", codestream, position + 2)[0]
    except struct.error:
        raise Rejected(Reason.TRUNCATED, "DICOM whose JPEG 2000 ends before its end marker") from None
    check_size("JPEG 2000", found.size, (height, width))
    if found.components != samples or not 1 <= found.precision <= bits:
        raise unlike(f"a JPEG 2000 of {found.components} samples of {found.precision} bits")
    return found


def _note_header(found: Jpeg2000Stream, marker: int, codestream: bytes, position: int) -> None:
    if marker == _SIZE:
        right, bottom, left, top = struct.unpack_from(">4I", codestream, position + 6)
        found.size = (bottom - top, right - left)
        (found.components,) = struct.unpack_from(">H", codestream, position + 38)
        depth, *apart = struct.unpack_from(">3B", codestream, position + 40)
        found.precision, found.signed, found.whole_pixels = (depth & 0x7F) + 1, depth >= 0x80, apart == [1, 1]
    elif marker == _CODING:
        found.levels = min(found.levels, struct.unpack_from(">B", codestream, position + 9)[0])
    elif marker == _COMPONENT_CODING:
        at = position + (6 if found.components < 257 else 7)
        found.levels = min(found.levels, struct.unpack_from(">B", codestream, at + 1)[0])


def level_of(stream: Jpeg2000Stream, enough: int | None) -> int:
    """Return how often a grey codestream may be halved so that its longer side keeps `enough` pixels; None: all."""
    if enough is None or stream.size is None or stream.components != 1 or not stream.whole_pixels:
        return 0
    levels = range(min(stream.levels, _LEVELS_LIMIT), 0, -1)
    return next((level for level in levels if max(stream.size) >= enough << level), 0)


def jpeg_2000_samples(codestream: bytes, stream: Jpeg2000Stream, level: int, *, signed: bool) -> Pixels:
    """Decode to (height, width[, 3]) by 2 to the power of `level`, rounded up; the codestream's bits as `signed`.

    stream: what `check_jpeg_2000` returned of it. OpenJPEG decodes both; raises what Pillow and imagecodecs do.
    """
    if stream.components > 1:
        return imagecodecs.jpeg2k_decode(codestream)
    samples = _centred(_by_pillow(codestream, stream, level), level)
    if signed == (samples.dtype.kind == "i"):
        return samples
    # The file and its codestream do not agree: the file's word counts, and the bits stay.
    spare = 8 * samples.dtype.itemsize - stream.precision
    turned: Pixels = np.left_shift(samples, spare).view(f"{'i' if signed else 'u'}{samples.dtype.itemsize}")
    return np.asarray(np.right_shift(turned, spare))


def _by_pillow(codestream: bytes, stream: Jpeg2000Stream, level: int) -> Pixels:
    """Decode one component, signed if the codestream's are."""
    with _AtLevel(BytesIO(codestream)) as picture:
        picture.reduce = level
        samples: Pixels = np.asarray(picture)
    # Pillow keeps bits in the upper ones of its types, and adds half of their range to signed ones.
    spare = 8 * samples.dtype.itemsize - stream.precision
    if stream.signed:
        turned = samples ^ samples.dtype.type(1 << (8 * samples.dtype.itemsize - 1))
        return np.asarray(np.right_shift(turned.view(f"i{samples.dtype.itemsize}"), spare))
    return np.right_shift(samples, spare) if spare else samples


def _centred(samples: Pixels, level: int) -> Pixels:
    """Return samples of a level in the middle of the areas that they stand for, by linear interpolation.

    A wavelet's stand at the first pixel of these; means of areas stand in the middle, up to half of their distance off.
    """
    if level == 0:
        return samples
    moved = 0.5 - 0.5 / 2**level
    weights = np.array([0, 1 - moved, moved], np.float32)
    return cv2.sepFilter2D(samples, -1, weights, weights, borderType=cv2.BORDER_REPLICATE)


class _AtLevel(Jpeg2KImageFile):
    """Pillow's reader. It rounds the size at a level to the nearest, where the codestream's is rounded up."""

    def load(self) -> Any:
        if self.tile and (step := 1 << self._reduce) > 1:
            width, height = self._size
            self._size = (-(-width // step) * step, -(-height // step) * step)
        return super().load()
