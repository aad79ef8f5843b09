"""The head that a received data set gets in its file.

It names no title and no time: the same data set always becomes the same file, whoever sent it.

Source: DICOM PS3.10, chapter 7.1.
"""

from __future__ import annotations

import struct

from gateway.receiving.request import IMPLEMENTATION_NAME, IMPLEMENTATION_UID

_SHORT = struct.Struct("<HH2sH")
_LONG = struct.Struct("<HH2s2xI")


def file_head(sop_class: str, instance: str, syntax: str) -> bytes:
    """Return preamble, prefix and file meta information."""
    version = b"\0\1"
    meta = _LONG.pack(2, 0x0001, b"OB", len(version)) + version
    for number, text in ((0x0002, sop_class), (0x0003, instance), (0x0010, syntax), (0x0012, IMPLEMENTATION_UID)):
        value = text.encode("ascii") + b"\0" * (len(text) % 2)
        meta += _SHORT.pack(2, number, b"UI", len(value)) + value
    name = IMPLEMENTATION_NAME + b" " * (len(IMPLEMENTATION_NAME) % 2)
    meta += _SHORT.pack(2, 0x0013, b"SH", len(name)) + name
    return bytes(128) + b"DICM" + _SHORT.pack(2, 0, b"UL", 4) + struct.pack("<I", len(meta)) + meta
