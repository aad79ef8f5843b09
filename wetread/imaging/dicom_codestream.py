"""Whether the compressed pixels of a DICOM file are whole, and as large as the file says, before they are decoded.

A decoder makes up what a codestream lacks, and reserves what it claims.

Source of the layouts: ITU-T T.81 (JPEG), T.87 (JPEG-LS), both annex B or C; T.800 (JPEG 2000), annex A.
"""

from __future__ import annotations

import re
import struct

from schemas.errors import Rejected
from schemas.states import Reason
from wetread.imaging.jpeg import markers

_START, _END_J2K, _START_OF_TILE, _SIZE = b"\xff\x4f\xff\x51", 0xFFD9, 0xFF90, 0xFF51
BASELINE, EXTENDED, LOSSLESS = frozenset({0xC0}), frozenset({0xC0, 0xC1}), frozenset({0xC3})
TWELVE_BITS, JPEG_LS = frozenset({0xC1}), frozenset({0xF7})
"""Markers of the frame header of each process; TWELVE_BITS is the extended process with samples of 12 bits."""
_START_JPEG, _HUFFMAN, _START_OF_SCAN, _JPEG_LS_PRESETS = b"\xff\xd8", 0xC4, 0xDA, 0xF8
_HARMLESS = frozenset({0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Quantisation tables, restart intervals, comments, applications' own."""
# In JPEG-LS a 0xFF in coded data is followed by a byte below 0x80, not by 0x00 alone.
_NEXT_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")


def check_jpeg(codestream: bytes, width: int, height: int, bits: int, samples: int, frames: frozenset[int]) -> None:
    """Check a JPEG, or a JPEG-LS, whose frame header has one of the markers `frames`.

    bits: allocated to a sample, 8 or 16. samples: of a pixel.

    GDCM ends its process on a scan without its Huffman table, so what a scan needs is looked for, and nothing let
    through that such a file does not hold. Raises Rejected TRUNCATED where it ends before its end marker,
    UNDECODABLE where it is not as described or has another size.
    """
    if not codestream.startswith(_START_JPEG):
        raise _unlike("no JPEG")
    by_gdcm = samples > 1 or frames not in (BASELINE, EXTENDED)
    size, components, tables, scans, end = None, b"", set[int](), 0, 2
    for marker, body in markers(codestream, _NEXT_MARKER):
        if by_gdcm and scans == 0:
            end = _end_of_segment(codestream, end, marker, body)
        if marker in frames and size is None and len(body) >= 6 and len(body) == 6 + 3 * body[5]:
            size, components = struct.unpack_from(">HH", body, 1), body[6::3]
            _check_samples(body, bits, samples, frames)
        elif marker == _HUFFMAN:
            tables |= _huffman_tables(body)
        elif marker == _START_OF_SCAN:
            _check_scan(body, components, None if frames == JPEG_LS else tables)
            scans += 1
        elif marker not in _HARMLESS and not (marker == _JPEG_LS_PRESETS and frames == JPEG_LS):
            raise _unlike("a JPEG with a marker that does not belong there")
    if size is None or scans == 0:
        raise _unlike("a JPEG without a frame or a scan")
    _same_size("JPEG", size, (height, width))


def _end_of_segment(codestream: bytes, start: int, marker: int, body: bytes) -> int:
    """Return where the segment ends that begins at `start`, fill bytes aside: GDCM aborts on stray ones."""
    while codestream[start : start + 2] == b"\xff\xff":
        start += 1
    if codestream[start : start + 2] != bytes([0xFF, marker]):
        raise _unlike("a JPEG with stray bytes between its segments")
    return start + 4 + len(body)


def _check_samples(frame: bytes, bits: int, samples: int, frames: frozenset[int]) -> None:
    """Check that samples are as wide as the file says, and sampled in a way that there is."""
    least, most = (2, 8) if bits == 8 else (9, 16)
    if frames in (BASELINE, EXTENDED, TWELVE_BITS):
        least = most = 12 if frames == TWELVE_BITS else 8
    if not (least <= frame[0] <= most <= bits):
        raise _unlike(f"a JPEG of {frame[0]} bits, where samples take {bits}")
    factors = [factor for sampling in frame[7::3] for factor in (sampling >> 4, sampling & 15)]
    if frame[5] != samples or not all(1 <= factor <= 4 for factor in factors):
        raise _unlike("a JPEG of no known sampling")


def _huffman_tables(body: bytes) -> set[int]:
    """Return the tables that a segment defines: 0 to 3 for DC and lossless, 16 to 19 for AC."""
    found, position = set(), 0
    while position < len(body):
        count = sum(body[position + 1 : position + 17])
        if body[position] & 0xEC or count == 0 or count > 256 or position + 17 + count > len(body):
            raise _unlike("a JPEG with a damaged Huffman table")
        found.add(body[position])
        position += 17 + count
    return found


def _check_scan(body: bytes, components: bytes, tables: set[int] | None) -> None:
    """Check that the scan's components are the frame's, and its Huffman tables, where it has any, defined."""
    count = body[0] if body else 0
    if not 1 <= count <= len(components) or len(body) != 4 + 2 * count:
        raise _unlike("a JPEG with a damaged scan")
    for component, selected in zip(body[1 : 1 + 2 * count : 2], body[2 : 2 + 2 * count : 2], strict=True):
        if component not in components or not (tables is None or selected >> 4 in tables):
            raise _unlike("a JPEG whose scan lacks its component or table")
        if tables is None:
            continue
        first, last, shift = body[-3:]
        sequential = (first, last, shift) == (0, 63, 0) and 16 + (selected & 15) in tables
        if not sequential and not (1 <= first <= 7 and last == 0 and shift < 16):  # else lossless: its predictor
            raise _unlike("a JPEG whose scan is neither sequential nor lossless")


def _unlike(what: str) -> Rejected:
    return Rejected(Reason.UNDECODABLE, f"DICOM whose pixels are {what}")


def check_jpeg_2000(codestream: bytes, width: int, height: int) -> None:
    """Check a JPEG 2000 or HTJ2K: its tile parts must follow each other to the end marker.

    Raises Rejected as `check_jpeg` does.
    """
    if not codestream.startswith(_START):
        raise _unlike("no JPEG 2000")
    position, size = 2, None
    try:
        while True:
            (marker,) = struct.unpack_from(">H", codestream, position)
            if marker == _END_J2K:
                break
            if marker == _START_OF_TILE:
                (length,) = struct.unpack_from(">I", codestream, position + 6)
                if length == 0:  # the last tile part reaches to the end marker
                    length = len(codestream.rstrip(b"\0")) - 2 - position
                step = max(length, 12)
            else:
                (length,) = struct.unpack_from(">H", codestream, position + 2)
                step = 2 + length
                if marker == _SIZE:
                    right, bottom, left, top = struct.unpack_from(">4I", codestream, position + 6)
                    size = (bottom - top, right - left)
            position += step
    except struct.error:
        raise Rejected(Reason.TRUNCATED, "DICOM whose JPEG 2000 ends before its end marker") from None
    _same_size("JPEG 2000", size, (height, width))


def _same_size(name: str, found: tuple[int, ...] | None, expected: tuple[int, int]) -> None:
    if found is None:
        raise Rejected(Reason.UNDECODABLE, f"DICOM whose {name} has no frame header")
    if found != expected:
        raise Rejected(
            Reason.UNDECODABLE,
            f"DICOM of {expected[1]} x {expected[0]} pixels whose {name} has {found[1]} x {found[0]}",
        )
