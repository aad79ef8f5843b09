"""Joins the fragments of compressed pixels to one codestream.

By the standard it lies in the items of a sequence of undefined length, after an item with a table of offsets. Writers
have stated a length instead, left out the table or the items, and put the boxes of a JP2 file around a JPEG 2000.

Source: DICOM PS3.5, annex A.4; ITU-T T.800, annex I (boxes).
"""

from __future__ import annotations

import struct

from wetread.imaging.dicom.elements import Element

_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_BOXES_LIMIT = 64
"""Boxes around a codestream: a picture has about five."""


def codestream_of(data: bytes, pixels: Element) -> bytes:
    """Return the compressed pixels of the element, parts joined and boxes taken off; b"" where there are none."""
    value = data[pixels.value : pixels.end]
    if not pixels.undefined_length and value.startswith((_JPEG, _JPEG_2000, _JP2)):
        return _without_boxes(value)
    parts = _items(value)
    if not parts[:1] or not _begins_pixels(parts[0], alone=len(parts) == 1):
        parts = parts[1:]
    return _without_boxes(b"".join(parts))


def _items(value: bytes) -> list[bytes]:
    parts, position = list[bytes](), 0
    while position + 8 <= len(value) and value[position : position + 4] == _ITEM:
        (length,) = struct.unpack_from("<I", value, position + 4)
        parts.append(value[position + 8 : position + 8 + length])
        position += 8 + length
    return parts


def _begins_pixels(first: bytes, *, alone: bool) -> bool:
    """Say whether the first item holds pixels, and not offsets: the first offset is 0."""
    return first.startswith((_JPEG, _JPEG_2000, _JP2)) or (alone and len(first) > 4)


def _without_boxes(codestream: bytes) -> bytes:
    """Return the contiguous codestream of a JP2 file; return anything else, or a JP2 without that box, unchanged."""
    if not codestream.startswith(_JP2):
        return codestream
    position = 0
    for _ in range(_BOXES_LIMIT):
        if position + 16 > len(codestream):
            break
        length, kind = struct.unpack_from(">I4s", codestream, position)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", codestream, position + 8)
            head = 16
        end = position + length if length else len(codestream)
        if kind == b"jp2c":
            return codestream[position + head : end]
        if end < position + head:
            break
        position = end
    return codestream
