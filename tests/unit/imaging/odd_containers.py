"""DICOM files that other programs open although something about their structure is odd; each holds DEEP."""

from __future__ import annotations

import struct

import numpy as np
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film

DEEP = film().astype(np.uint16) * 16 + 7
PIXELS = b"\xe0\x7f\x10\x00"
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def split(data: bytes) -> tuple[bytes, bytes]:
    """The file up to the length of its pixel data, and its codestream, of one fragment."""
    start = max(data.rfind(PIXELS + vr + b"\0\0\xff\xff\xff\xff") for vr in (b"OB", b"OW")) + 12
    offsets = struct.unpack_from("<I", data, start + 4)[0]
    fragment = start + 8 + offsets
    (length,) = struct.unpack_from("<I", data, fragment + 4)
    return data[: start - 4], data[fragment + 8 : fragment + 8 + length]


def item(data: bytes) -> bytes:
    return ITEM + struct.pack("<I", len(data)) + data


def stated(head: bytes, value: bytes) -> bytes:
    return head + struct.pack("<I", len(value)) + value


def jp2(codestream: bytes, *, long: bool = False) -> bytes:
    """Boxes around a codestream, as JPEG 2000 files have them."""
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 " + b"\0\0\0\x10jp2hxxxxxxxx"
    if long:
        return boxes + struct.pack(">I4sQ", 1, b"jp2c", len(codestream) + 16) + codestream
    return boxes + struct.pack(">I4s", len(codestream) + 8, b"jp2c") + codestream


def even(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)


def containers() -> dict[str, bytes]:
    found = {}
    for name, syntax in (("jpeg", JPEGLosslessSV1), ("jpeg 2000", JPEG2000Lossless), ("rle", RLELossless)):
        head, stream = split(dicom(DEEP, syntax, bits=12))
        undefined, half = head + b"\xff\xff\xff\xff", len(stream) // 4 * 2
        found |= {
            f"{name}, items of stated length": stated(head, item(b"") + item(stream)),
            f"{name}, items of stated length and an end": stated(head, item(b"") + item(stream) + SEQUENCE_END),
            f"{name}, no table of offsets": undefined + item(stream) + SEQUENCE_END,
            f"{name}, a table of one offset": undefined + item(bytes(4)) + item(stream) + SEQUENCE_END,
        }
        if name != "rle":
            parts = item(b"") + item(stream[:half]) + item(stream[half:])
            found |= {
                f"{name}, bare": stated(head, stream),
                f"{name}, several fragments": undefined + parts + SEQUENCE_END,
                f"{name}, several fragments of stated length": stated(head, parts),
            }
        if name == "jpeg 2000":
            for kind, boxed in (("boxes", jp2(stream)), ("long boxes", jp2(stream, long=True))):
                found[f"{name}, {kind}"] = undefined + item(b"") + item(even(boxed)) + SEQUENCE_END
    data = dicom(DEEP, bits=12)
    meta = data[132:]
    (length,) = struct.unpack_from("<I", meta, 8)
    first, rest = meta[: 12 + length], meta[12 + length :]
    found["meta in implicit VR"] = data[:132] + implicit(first) + rest
    found["meta in implicit VR, no preamble"] = implicit(first) + rest
    found["two groups 0002"] = data[:132] + first + first + rest
    found["two groups 0002, the second implicit"] = data[:132] + first + implicit(first) + rest
    value = b"Doe^Jane"
    at = data.index(b"\x28\0\x02\0US")
    for kind, written in {
        "blank": b"  " + struct.pack("<H", len(value)),
        "??": b"??" + struct.pack("<H", len(value)),
        "NUL": b"\0\0" + struct.pack("<H", len(value)),
        "blank, long": b"  \0\0" + struct.pack("<I", len(value)),
        "none": struct.pack("<I", len(value)),
        "of a later standard": b"ZZ" + struct.pack("<H", len(value)),
    }.items():
        found[f"representation {kind}"] = data[:at] + b"\x19\0\x10\x10" + written + value + data[at:]
    return found


def implicit(meta: bytes) -> bytes:
    """Elements of the meta information without their representations, as long as before says nothing of them."""
    position, written = 0, b""
    while position < len(meta):
        tag, vr = meta[position : position + 4], meta[position + 4 : position + 6]
        form, head = ("<I", 12) if vr in (b"OB", b"UN") else ("<H", 8)
        (length,) = struct.unpack_from(form, meta, position + head - struct.calcsize(form))
        written += tag + struct.pack("<I", length) + meta[position + head : position + head + length]
        position += head + length
    return written


CONTAINERS = containers()
