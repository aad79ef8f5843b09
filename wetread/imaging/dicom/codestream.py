"""Checks that a JPEG or JPEG-LS within a DICOM file is whole, and as large as stated, before it is decoded.

A decoder makes up what a codestream lacks, and reserves what it claims.

Source of the layouts: ITU-T T.81 (JPEG), annex B; T.87 (JPEG-LS), annex C.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.jpeg import END_OF_IMAGE, Segment, segments

BASELINE, EXTENDED, LOSSLESS = frozenset({0xC0}), frozenset({0xC0, 0xC1}), frozenset({0xC3})
TWELVE_BITS, JPEG_LS = frozenset({0xC1}), frozenset({0xF7})
"""Markers of the frame header of each process; TWELVE_BITS is the extended process with samples of 12 bits."""
_START_JPEG, _HUFFMAN, _START_OF_SCAN, _RESTARTS, _JPEG_LS_PRESETS = b"\xff\xd8", 0xC4, 0xDA, 0xDD, 0xF8
_JFIF = 0xE0
_HARMLESS = frozenset({0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Quantisation tables, restart intervals, comments, applications' own."""
# In JPEG-LS a 0xFF in coded data is followed by a byte below 0x80, not by 0x00 alone.
_NEXT_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")


@dataclass(slots=True)
class JpegStream:
    """What a codestream says of itself.

    precision: bits of a sample. components: their identifiers. jfif: it says that it is a JFIF file.
    scans: the headers of its scans. coded: where the coded data of each begins and ends, bytes.
    restarts: the coded data is cut into intervals.
    tables: of each Huffman table, 0 to 3 for DC and lossless, 16 to 19 for AC, the bits of each symbol's code.
    """

    precision: int = 0
    size: tuple[int, int] | None = None
    components: bytes = b""
    jfif: bool = False
    restarts: bool = False
    scans: list[bytes] = field(default_factory=list)
    coded: list[tuple[int, int]] = field(default_factory=list)
    tables: dict[int, dict[int, int]] = field(default_factory=dict)


def check_jpeg(
    codestream: bytes, width: int, height: int, bits: int, samples: int, frames: frozenset[int]
) -> JpegStream:
    """Check a JPEG, or a JPEG-LS, whose frame header has one of the markers `frames`, and return what it says.

    bits: allocated to a sample, 8 or 16. samples: of a pixel.

    What a scan needs is looked for, and nothing let through that such a file does not hold. Raises Rejected TRUNCATED
    where it ends before its end marker, UNDECODABLE where it is not as described or has another size.
    """
    if not codestream.startswith(_START_JPEG):
        raise unlike("no JPEG")
    strict = samples > 1 or frames not in (BASELINE, EXTENDED)
    found, end = JpegStream(), 2
    for segment in segments(codestream, _NEXT_MARKER):
        marker, body = segment.marker, segment.body
        if len(found.coded) < len(found.scans):
            found.coded.append((end, segment.start))
        elif strict:
            _check_adjoining(codestream, end, segment)
        end = segment.start + 4 + len(body)
        if marker in frames and found.size is None and len(body) >= 6 and len(body) == 6 + 3 * body[5]:
            found.precision, found.components = body[0], body[6::3]
            found.size = struct.unpack_from(">HH", body, 1)
            _check_samples(body, bits, samples, frames)
        elif marker == _HUFFMAN:
            found.tables |= _huffman_tables(body)
        elif marker == _START_OF_SCAN:
            _check_scan(body, found.components, None if frames == JPEG_LS else found.tables)
            found.scans.append(body)
        elif marker == _RESTARTS:
            found.restarts |= any(body)
        elif marker == _JFIF:
            found.jfif |= body.startswith(b"JFIF")
        elif marker not in _HARMLESS | {END_OF_IMAGE} and not (marker == _JPEG_LS_PRESETS and frames == JPEG_LS):
            raise unlike("a JPEG with a marker that does not belong there")
    if found.size is None or not found.scans:
        raise unlike("a JPEG without a frame or a scan")
    check_size("JPEG", found.size, (height, width))
    return found


def _check_adjoining(codestream: bytes, end: int, segment: Segment) -> None:
    """Check that the segment begins where the one before ended, fill bytes aside."""
    if codestream[end : segment.start].strip(b"\xff"):
        raise unlike("a JPEG with stray bytes between its segments")


def _check_samples(frame: bytes, bits: int, samples: int, frames: frozenset[int]) -> None:
    """Check that samples are as wide as the file says, and sampled in a way that there is."""
    least, most = 2, bits
    if frames in (BASELINE, EXTENDED, TWELVE_BITS):
        least = most = 12 if frames == TWELVE_BITS else 8
    if not (least <= frame[0] <= most <= bits):
        raise unlike(f"a JPEG of {frame[0]} bits, where samples take {bits}")
    factors = [factor for sampling in frame[7::3] for factor in (sampling >> 4, sampling & 15)]
    if frame[5] != samples or not all(1 <= factor <= 4 for factor in factors):
        raise unlike("a JPEG of no known sampling")


def _huffman_tables(body: bytes) -> dict[int, dict[int, int]]:
    """Return the tables that a segment defines, as `JpegStream` has them."""
    found, position = {}, 0
    while position < len(body):
        counts = body[position + 1 : position + 17]
        count = sum(counts)
        if body[position] & 0xEC or count == 0 or count > 256 or position + 17 + count > len(body):
            raise unlike("a JPEG with a damaged Huffman table")
        lengths = (length for length, codes in enumerate(counts, 1) for _ in range(codes))
        found[body[position]] = dict(zip(body[position + 17 : position + 17 + count], lengths, strict=True))
        position += 17 + count
    return found


def _check_scan(body: bytes, components: bytes, tables: dict[int, dict[int, int]] | None) -> None:
    """Check that the scan's components are the frame's, and its Huffman tables, where it has any, defined."""
    count = body[0] if body else 0
    if not 1 <= count <= len(components) or len(body) != 4 + 2 * count:
        raise unlike("a JPEG with a damaged scan")
    for component, selected in zip(body[1 : 1 + 2 * count : 2], body[2 : 2 + 2 * count : 2], strict=True):
        if component not in components or not (tables is None or selected >> 4 in tables):
            raise unlike("a JPEG whose scan lacks its component or table")
        if tables is None:
            continue
        first, last, shift = body[-3:]
        sequential = (first, last, shift) == (0, 63, 0) and 16 + (selected & 15) in tables
        if not sequential and not (1 <= first <= 7 and last == 0 and shift < 16):  # else lossless: its predictor
            raise unlike("a JPEG whose scan is neither sequential nor lossless")


def unlike(what: str) -> Rejected:
    """Return the refusal of compressed pixels that are `what` and not as the file says."""
    return Rejected(Reason.UNDECODABLE, f"DICOM whose pixels are {what}")


def check_size(name: str, found: tuple[int, ...] | None, expected: tuple[int, int]) -> None:
    """Check the size that a codestream claims, (height, width); raise Rejected UNDECODABLE where it is another."""
    if found is None:
        raise Rejected(Reason.UNDECODABLE, f"DICOM whose {name} has no frame header")
    if found != expected:
        raise Rejected(
            Reason.UNDECODABLE,
            f"DICOM of {expected[1]} x {expected[0]} pixels whose {name} has {found[1]} x {found[0]}",
        )
