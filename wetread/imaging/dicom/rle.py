"""Decodes DICOM's RLE: a segment for each byte of significance, each packed by itself.

Source of the layout: DICOM PS3.5, annex G.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import imagecodecs
import numpy as np

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.grey import Pixels

_HEADER = struct.Struct("<16I")


def rle_samples(compressed: bytes, height: int, width: int, bits: int) -> Pixels | None:
    """Decode to (height, width) uint8 or uint16, little endian; None for what has padding behind its segments.

    bits: of a sample, 8 or 16. Raises Rejected UNDECODABLE where the segments are not as described or end early.
    """
    if len(compressed) < _HEADER.size:
        raise _unlike()
    count, *offsets = _HEADER.unpack_from(compressed)
    bounds = [*offsets[:count], len(compressed)]
    # imagecodecs reads wherever an offset leads.
    ordered = all(first < second for first, second in pairwise(bounds))
    if count != bits // 8 or bounds[0] < _HEADER.size or not ordered:
        raise _unlike()
    try:
        samples = imagecodecs.dicomrle_decode(compressed, f"<u{bits // 8}")
    except RuntimeError:
        return None
    if len(samples) != height * width * bits // 8:
        return None
    return np.frombuffer(samples, f"<u{bits // 8}").reshape(height, width)


def _unlike() -> Rejected:
    return Rejected(Reason.UNDECODABLE, "DICOM whose RLE segments are not where its header says")
