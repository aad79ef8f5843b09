"""PNG: the header's facts, and the pixels as grey.

Source of the layout: Portable Network Graphics (PNG) Specification, third edition, W3C 2025.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.grey import Pixels, alpha_over_black, decoded, to_grey
from wetread.imaging.header import Colour, Header
from wetread.imaging.opencv import cv2
from wetread.imaging.tiff_tags import orientation_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNKS_LIMIT = 2**18
"""Chunks in a file: enough for the largest file that is read in chunks of 1 KiB, the smallest in use."""

_COLOURS: dict[int, tuple[Colour, int]] = {
    0: ("grey", 1),
    2: ("rgb", 3),
    3: ("palette", 3),
    4: ("grey", 2),
    6: ("rgb", 4),
}


@dataclass(frozen=True, slots=True)
class PngHeader(Header):
    """A PNG's header.

    transparent_grey: the one grey value that a grey picture declares transparent. end: bytes to the end of the picture.
    """

    transparent_grey: int | None = None
    end: int = 0


def png_header(data: bytes) -> PngHeader:
    """Walk all chunks to the end of the picture; raise Rejected UNDECODABLE where they are not a whole PNG's.

    The walk goes past the pixels, because libpng believes a chunk's length: a file of 4 KB whose chunk claims
    2 GB takes it 2 GB and 17 seconds to refuse. Checksums and pixels are left to libpng.
    """
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise Rejected(Reason.UNDECODABLE, "PNG without a header chunk")
    width, height, bits, colour_type = struct.unpack_from(">IIBB", data, 16)
    if colour_type not in _COLOURS or bits not in (1, 2, 4, 8, 16):
        raise Rejected(Reason.UNDECODABLE, f"PNG with colour type {colour_type} and {bits} bits")
    colour, channels = _COLOURS[colour_type]
    header = PngHeader("png", width, height, bits, colour, channels)
    pixels, end = False, 0
    for kind, start, length in _chunks(data):
        end = start + length + 4
        if kind == b"IDAT":
            pixels = True
        elif kind == b"acTL" and length >= 4:
            header = replace(header, frames=max(1, struct.unpack_from(">I", data, start)[0]))
        elif kind == b"eXIf":
            header = replace(header, orientation=orientation_of(data[start : start + length]))
        elif kind == b"tRNS" and colour_type == 0 and length >= 2:
            header = replace(header, transparent_grey=struct.unpack_from(">H", data, start)[0])
        elif kind == b"tRNS":
            header = replace(header, channels=4)
    if not pixels:
        raise Rejected(Reason.UNDECODABLE, "PNG without pixels before its end chunk")
    return replace(header, end=end)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's kind, and where its body starts and how long it is, in bytes."""
    position = len(SIGNATURE)
    for _ in range(_CHUNKS_LIMIT):
        if position + 12 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        start, position = position + 8, position + 12 + length
        if position > len(data):
            break
        yield kind, start, length
        if kind == b"IEND":
            return
    raise Rejected(Reason.UNDECODABLE, "PNG that ends before its end chunk")


def png_pixels(data: bytes, header: PngHeader) -> Pixels:
    """Decode to grey, (height, width), uint8 or uint16; transparent parts become black."""
    # What comes after the end has not been looked at, and OpenCV would look there for what it misses before.
    pixels = decoded(data[: header.end], cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return alpha_over_black(pixels)
    grey = to_grey(pixels)
    if header.transparent_grey is not None:
        # OpenCV ignores a grey picture's transparent value; narrow samples were widened to 8 bits.
        widening = 255 // (2**header.bits - 1) if header.bits < 8 else 1
        grey[grey == header.transparent_grey * widening] = np.zeros((), grey.dtype)
    return grey
