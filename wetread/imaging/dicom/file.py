"""Recognises a DICOM file, and finds its transfer syntax and its data set.

Files are recognised by content: the preamble with its prefix, or elements from the first byte on, as older
programs wrote them.

Source of the layout: DICOM PS3.10, chapter 7; PS3.5, annex A.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.dicom.elements import VALUE_REPRESENTATIONS, Element, Elements, Encoding, truncated

IMPLICIT_LITTLE, EXPLICIT_LITTLE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, EXPLICIT_BIG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
INFLATED_LIMIT = 2**28
"""Bytes that a deflated data set may inflate to: twice the largest film of 16 bits."""
_INFLATED_AT_ONCE = 2**14
"""Deflated bytes; they inflate to at most a thousand times as many."""

_PREFIX, _PREFIX_AT = b"DICM", 128
_META_GROUP, _TRANSFER_SYNTAX = 0x0002, 0x00020010
_FIRST_GROUP = 0x0008
_FIRST_NUMBERS = frozenset({0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0013, 0x0014, 0x0016, 0x0018})
"""Elements of group 8 with which a data set without preamble may begin."""
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True)
class DataSet:
    """The allowed elements of a file, by tag; they lie in `data`, written as `encoding` in `transfer_syntax`."""

    data: bytes = field(repr=False)  # holds names
    transfer_syntax: str
    encoding: Encoding
    elements: dict[int, Element]

    @property
    def encapsulated(self) -> bool:
        """Whether the pixels are compressed, in fragments."""
        return self.transfer_syntax not in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG)


def is_dicom(data: bytes) -> bool:
    """Say whether the bytes begin as a DICOM file does, with its preamble or without."""
    return has_preamble(data) or _begins_with_element(data)


def has_preamble(data: bytes) -> bool:
    """Say whether the prefix stands after a preamble, which may be made to look like a TIFF for other programs."""
    return data[_PREFIX_AT : _PREFIX_AT + 4] == _PREFIX


def _begins_with_element(data: bytes) -> bool:
    if len(data) < 8:
        return False
    for order in ("<", ">"):
        group, number = struct.unpack_from(order + "HH", data)
        if group == _META_GROUP and number <= 0x0010 and order == "<":
            return data[4:6] in VALUE_REPRESENTATIONS or struct.unpack_from("<I", data, 4)[0] in (2, 4)
        if group == _FIRST_GROUP and number in _FIRST_NUMBERS:
            if data[4:6] in VALUE_REPRESENTATIONS:
                return True
            (length,) = struct.unpack_from("<I", data, 4)
            return order == "<" and length <= 256 and length % 2 == 0
    return False


def read_data_set(data: bytes, allowed: frozenset[int], *, to_last: bool = False) -> DataSet:
    """Walk the file that `is_dicom`, or, with `to_last`, no further than need be; keep the elements in `allowed`.

    Raises Rejected TRUNCATED where it breaks off, NO_DECODER where nothing says how it is written, TOO_LARGE
    where it inflates beyond INFLATED_LIMIT, UNDECODABLE where it is no data set.
    """
    syntax, start = _meta(data, _PREFIX_AT + 4 if has_preamble(data) else 0)
    if start >= len(data):
        raise truncated()
    if syntax == DEFLATED:
        data, start, syntax = _inflated(data[start:]), 0, EXPLICIT_LITTLE
    encoding = _encoding(data[start : start + 6], syntax)
    elements = Elements(data, start, encoding).kept(allowed, to_last=to_last)
    if not syntax:
        plain = {Encoding(True, "<"): EXPLICIT_LITTLE, Encoding(True, ">"): EXPLICIT_BIG}
        syntax = plain.get(encoding, IMPLICIT_LITTLE)
        if any(element.undefined_length and not element.vr.startswith("S") for element in elements.values()):
            raise Rejected(Reason.NO_DECODER, "DICOM with compressed pixels that does not state its transfer syntax")
    return DataSet(data, syntax, encoding, elements)


def _meta(data: bytes, start: int) -> tuple[str, int]:
    """Return the transfer syntax, "" where none is stated, and where the file meta information ends.

    Some writers left out its value representations, or wrote it twice: then the second counts.
    """
    meta = Elements(data, start, Encoding())
    if data[start : start + 2] != b"\x02\0":
        return "", start
    stated = meta.kept({_TRANSFER_SYNTAX}, group=_META_GROUP).get(_TRANSFER_SYNTAX)
    return "" if stated is None else _uid(data[stated.value : stated.end]), meta.position


def _uid(value: bytes) -> str:
    text = value.decode("ascii", "replace").strip("\0 ")
    if not _UID.fullmatch(text):
        raise Rejected(Reason.NO_DECODER, "DICOM whose transfer syntax is no unique identifier")
    return text


def _encoding(first: bytes, syntax: str) -> Encoding:
    """Return how the data set is written: what its first element shows goes before what its syntax says.

    Writers that decompress or compress files have left the one or the other behind.
    """
    if syntax == EXPLICIT_BIG or (not syntax and first[:1] == b"\0"):
        return Encoding(order=">")
    return Encoding(explicit=first[4:6] in VALUE_REPRESENTATIONS)


def _inflated(data: bytes) -> bytes:
    """Inflate in steps, so that no more than the limit is ever held."""
    inflater, pieces, size = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    try:
        for start in range(0, len(data), _INFLATED_AT_ONCE):
            piece = inflater.decompress(data[start : start + _INFLATED_AT_ONCE], INFLATED_LIMIT - size)
            pieces.append(piece)
            size += len(piece)
            if size == INFLATED_LIMIT:
                raise Rejected(Reason.TOO_LARGE, f"deflated DICOM of {INFLATED_LIMIT} bytes or more")
            if inflater.eof:
                return b"".join(pieces)
    except zlib.error:
        raise Rejected(Reason.UNDECODABLE, "deflated DICOM that does not inflate") from None
    raise truncated()
