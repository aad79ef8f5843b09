"""Whether a file that was received is whole, and what its own header says it is.

Its elements are walked to the pixels' end without being read into memory; of those a few are looked at.
"""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass
from typing import Any

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.dicom.elements import VALUE_REPRESENTATIONS, Elements, Encoding
from wetread.imaging.dicom.file import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, INFLATED_LIMIT

_CLASS, _INSTANCE = 0x00080016, 0x00080018
_WANTED = frozenset({_CLASS, _INSTANCE})
_AT_ONCE = 64 * 1024
_BEGINNING = 1024 * 1024
"""Bytes of a deflated data set that are looked at: its identifiers stand in front."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a data set calls itself: its SOP class and instance; "" where it does not say."""

    sop_class: str
    instance: str


def looked_at(descriptor: int, start: int, syntax: str) -> Named:
    """Walk the data set that begins at `start` of an open file; raise Rejected where it is none, or breaks off."""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        if start >= len(data):
            raise Rejected(Reason.TRUNCATED, "a data set without an element")
        if syntax == DEFLATED:
            return _inflated(data, start)
        return _walked(data, start, _encoding(data[start : start + 6], syntax), to_last=False)


def _encoding(first: bytes, syntax: str) -> Encoding:
    # Some senders write with value representations and say without; the reader goes by what is there, and so does this.
    return Encoding(order=">") if syntax == EXPLICIT_BIG else Encoding(explicit=first[4:6] in VALUE_REPRESENTATIONS)


def _walked(data: Any, start: int, encoding: Encoding, *, to_last: bool) -> Named:
    elements = Elements(data, start, encoding).kept(_WANTED, to_last=to_last)
    texts = {tag: data[found.value : found.end] for tag, found in elements.items()}
    return Named(*(texts.get(tag, b"").decode("ascii", "replace").strip("\0 ") for tag in (_CLASS, _INSTANCE)))


def _inflated(data: mmap.mmap, start: int) -> Named:
    """Inflate to the end, a little at a time: that is what shows that nothing is missing."""
    inflater, beginning, size = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), 0
    try:
        for at in range(start, len(data), _AT_ONCE):
            rest = data[at : at + _AT_ONCE]
            while rest and not inflater.eof:
                piece = inflater.decompress(rest, _AT_ONCE * 16)
                rest, size = inflater.unconsumed_tail, size + len(piece)
                beginning += piece[: max(0, _BEGINNING - len(beginning))]
                if size >= INFLATED_LIMIT:
                    raise Rejected(Reason.TOO_LARGE, f"a deflated data set of {INFLATED_LIMIT} bytes or more")
    except zlib.error:
        raise Rejected(Reason.UNDECODABLE, "a deflated data set that does not inflate") from None
    if not inflater.eof:
        raise Rejected(Reason.TRUNCATED, "a deflated data set that breaks off")
    return _walked(bytes(beginning), 0, _encoding(bytes(beginning[:6]), EXPLICIT_LITTLE), to_last=True)
