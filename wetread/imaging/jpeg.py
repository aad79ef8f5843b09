"""JPEG: the header's facts, whether the file is whole, and the pixels as grey.

Source of the layout: ITU-T T.81 (ISO/IEC 10918-1), annex B.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.grey import Pixels, decoded
from wetread.imaging.header import Colour, Header
from wetread.imaging.opencv import cv2
from wetread.imaging.tiff_tags import orientation_of

SIGNATURE = b"\xff\xd8\xff"

# Within coded data 0xFF is followed by 0x00 (a stuffed byte) or by a restart marker, 0xD0 to 0xD7.
# Fill bytes, 0xFF before a marker, need no rule of their own: the match starts at the last of them. Written
# as \xff+ the search would be twelve times slower.
_NEXT_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_START_OF_SCAN, END_OF_IMAGE, _APP1, _APP14 = 0xDA, 0xD9, 0xE1, 0xEE
_WITHOUT_LENGTH = frozenset({0x01, 0xD8})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_COEFFICIENTS = 64
_SCANS_LIMIT = 100
"""Scans of one picture; encoders write about ten, and each of thousands would go over all pixels again."""
_GREY_AT = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_COLOURS: dict[int, Colour] = {1: "grey", 3: "rgb", 4: "cmyk"}


@dataclass(frozen=True, slots=True)
class JpegHeader(Header):
    """A JPEG's header.

    adobe: it carries Adobe's marker, whose CMYK is stored inverted. lossless: it has no frequencies, only differences.
    """

    adobe: bool = False
    lossless: bool = False


def jpeg_header(data: bytes) -> JpegHeader:
    """Walk all markers from the first to the end of the image, pixels' data included.

    Raises Rejected TRUNCATED when the structure breaks off or scans are missing, UNDECODABLE when it is no picture
    that can be read.
    """
    header: JpegHeader | None = None
    orientation, adobe, progressive, lossless, scanned = 1, False, False, False, False
    missing: dict[int, list[int]] = {}
    for marker, body in markers(data):
        if marker in _FRAMES and header is None:
            header, progressive, lossless = _frame_header(body), marker in _PROGRESSIVE, marker in _LOSSLESS
            missing = {component: [1] * _COEFFICIENTS for component in body[6 : 6 + 3 * body[5] : 3]}
        elif marker == _START_OF_SCAN:
            scanned = True
            _note_scan(missing, body, progressive=progressive)
        elif marker == _APP1 and body.startswith(b"Exif\0\0"):
            orientation = orientation_of(body[6:])
        elif marker == _APP14 and body.startswith(b"Adobe"):
            adobe = True
    if header is None or not scanned:
        raise Rejected(Reason.UNDECODABLE, "JPEG without a picture before its end marker")
    if any(map(any, missing.values())):
        raise Rejected(Reason.TRUNCATED, "JPEG that ends before its last scan")
    return replace(header, orientation=orientation, adobe=adobe, lossless=lossless)


def _note_scan(missing: dict[int, list[int]], body: bytes, *, progressive: bool) -> None:
    """Note which coefficients a scan gives; `missing`: by component, the lowest bits that each still lacks.

    A progressive JPEG that is cut between two scans and closed again is a whole picture, but of few details.
    """
    count = body[0] if body else 0
    if len(body) < 4 + 2 * count:
        raise Rejected(Reason.UNDECODABLE, "JPEG with a damaged scan header")
    first, last, shift = body[1 + 2 * count : 4 + 2 * count] if progressive else (0, _COEFFICIENTS - 1, 0)
    for component in missing.keys() & set(body[1 : 1 + 2 * count : 2]):
        for coefficient in range(first, min(last + 1, _COEFFICIENTS)):
            missing[component][coefficient] = shift & 15


class Segment(NamedTuple):
    """A marker, where its 0xFF stands, and the body that follows it; the end of the image has none."""

    marker: int
    start: int
    body: bytes


def markers(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the markers that have a body, with it, up to the end of the image; raises what `segments` raises."""
    return ((found.marker, found.body) for found in segments(data) if found.marker != END_OF_IMAGE)


def segments(data: bytes, next_marker: re.Pattern[bytes] = _NEXT_MARKER) -> Iterator[Segment]:
    """Yield the segments up to the end of the image, this too.

    OpenCV may return a whole picture for half a file, so the end marker is looked for here, where the
    structure puts it: a thumbnail's end marker does not count, and bytes after the end are allowed, since
    real files have them. `next_marker` finds the next marker in coded data. Raises Rejected TRUNCATED when the
    structure breaks off, UNDECODABLE where it has more scans than any picture.
    """
    position, scans = 2, 0
    while (found := next_marker.search(data, position)) is not None:
        marker, position = found[1][0], found.end()
        if marker in _WITHOUT_LENGTH:
            continue
        if marker == END_OF_IMAGE:
            yield Segment(marker, found.start(), b"")
            return
        length = int.from_bytes(data[position : position + 2], "big")
        body = data[position + 2 : position + length]
        if len(body) != length - 2:
            break
        if marker == _START_OF_SCAN:
            scans += 1
            if scans > _SCANS_LIMIT:
                raise Rejected(Reason.UNDECODABLE, f"JPEG with more than {_SCANS_LIMIT} scans")
        yield Segment(marker, found.start(), body)
        position += length
    raise Rejected(Reason.TRUNCATED, "JPEG that ends before its end marker")


def _frame_header(body: bytes) -> JpegHeader:
    if len(body) < 6:
        raise Rejected(Reason.UNDECODABLE, "JPEG with a frame header that is too short")
    bits, height, width, components = struct.unpack_from(">BHHB", body)
    if components not in _COLOURS or bits != 8:
        raise Rejected(Reason.UNDECODABLE, f"JPEG with {components} components of {bits} bits; expected 1, 3 or 4 of 8")
    return JpegHeader("jpeg", width, height, bits, _COLOURS[components], components)


def jpeg_divisor(header: JpegHeader, enough: int | None) -> int:
    """Return by what a JPEG's sides may be divided as it is decoded, 1, 2, 4 or 8, so that the longer keeps `enough`.

    1 for CMYK and lossless JPEG, and where `enough` is None.
    """
    if header.colour == "cmyk" or header.lossless or enough is None:
        return 1
    return next((divisor for divisor in (8, 4, 2) if max(header.width, header.height) >= divisor * enough), 1)


def jpeg_pixels(data: bytes, header: JpegHeader, divisor: int = 1) -> Pixels:
    """Decode to grey, (height, width) by `divisor`, rounded up, uint8: the stored luminance, or CMYK converted.

    A fraction of the size comes from the low frequencies of each block alone (libjpeg's scaled decoding), so that what
    a mean of areas would throw away again is not computed; every bit of the file is still read. The rotation that EXIF
    asks for is not applied: scanners set it at random, and training films have none.
    """
    if header.colour == "cmyk" and not header.adobe:
        raise Rejected(Reason.UNDECODABLE, "CMYK JPEG without Adobe's marker: whether it is inverted is not known")
    return decoded(data, _GREY_AT[divisor] | cv2.IMREAD_IGNORE_ORIENTATION)
