"""JPEGs: cut, mended, lying about their size, of other processes, and good ones that look strange."""

from __future__ import annotations

import re
import struct

import numpy as np

from schemas.reasons import Reason
from tests.hostile.cases import Case, read, refused
from tests.unit.imaging.pictures import encoded, film, jpeg_segment, rotated_exif, with_segment
from wetread.imaging.opencv import cv2

END = b"\xff\xd9"


def good() -> bytes:
    return encoded(".jpg", film(seed=1))


def colour(seed: int = 0) -> bytes:
    return encoded(".jpg", np.stack([film(seed=seed + plane) for plane in range(3)], axis=-1))


def progressive() -> bytes:
    return encoded(".jpg", film(seed=2), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


def cut() -> bytes:
    return good()[: len(good()) // 2]


def cut_and_closed() -> bytes:
    """What a tool makes that mends half a download; libjpeg would fill the rest with grey."""
    return cut().rstrip(b"\xff") + END


def cut_between_scans() -> bytes:
    """Cut after its second scan and closed: a whole picture, but of few details."""
    whole = progressive()
    return whole[: [found.start() for found in re.finditer(rb"\xff\xda", whole)][2]] + END


def cut_and_padded() -> bytes:
    return cut() + bytes(len(good()) // 2)


def cut_after_its_thumbnail() -> bytes:
    """The thumbnail's own end marker is still there."""
    small = encoded(".jpg", film(64, 64))
    whole = with_segment(good(), jpeg_segment(0xE1, b"Exif\0\0" + small))
    return whole[: len(whole) * 2 // 3]


def claiming(height: int, width: int, whole: bytes) -> bytes:
    at = max(whole.find(b"\xff\xc0"), whole.find(b"\xff\xc2")) + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


def of_process(marker: int, bits: int = 8) -> bytes:
    at = good().index(b"\xff\xc0")
    return good()[: at + 1] + bytes([marker]) + good()[at + 2 : at + 4] + bytes([bits]) + good()[at + 5 :]


def endless_scans() -> bytes:
    whole = progressive()
    start = whole.index(b"\xff\xda")
    end = whole.index(b"\xff\xda", start + 2)
    return whole[:end] + whole[start:end] * 5000 + whole[end:]


def without(marker: int) -> bytes:
    """The file without its segments of this marker."""
    whole = good()
    while (at := whole.find(bytes([0xFF, marker]))) >= 0:
        whole = whole[:at] + whole[at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big") :]
    return whole


def four_components() -> bytes:
    """CMYK without the marker that says whether it is inverted."""
    whole = good()
    at = whole.index(b"\xff\xc0")
    head = struct.pack(">BHHB", 8, 200, 240, 4) + b"".join(bytes([k, 0x11, 0]) for k in (1, 2, 3, 4))
    scan = bytes([4]) + b"".join(bytes([k, 0]) for k in (1, 2, 3, 4)) + b"\0\x3f\0"
    data = whole.index(b"\xff\xda")
    body = data + 2 + int.from_bytes(whole[data + 2 : data + 4], "big")
    after = at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big")
    return whole[:at] + jpeg_segment(0xC0, head) + whole[after:data] + jpeg_segment(0xDA, scan) + whole[body:]


def flipped() -> bytes:
    """One bit of the coded data changed: nothing tells it from a film."""
    data = bytearray(encoded(".jpg", film(seed=3), cv2.IMWRITE_JPEG_QUALITY, 95))
    data[-400] ^= 0x04
    return bytes(data)


CASES: dict[str, Case] = {
    "cut.jpg": refused(Reason.TRUNCATED, "JPEG cut in half", cut),
    "closed.jpg": refused(Reason.TRUNCATED, "JPEG cut in half, with an end marker added", cut_and_closed),
    "scans-cut.jpg": refused(
        Reason.TRUNCATED, "progressive JPEG cut between two scans, with an end marker added", cut_between_scans
    ),
    "padded.jpg": refused(Reason.TRUNCATED, "JPEG cut in half, padded with zeros", cut_and_padded),
    "thumbnail.jpg": refused(Reason.TRUNCATED, "JPEG cut after its thumbnail's end marker", cut_after_its_thumbnail),
    "most.jpg": refused(
        Reason.TOO_LARGE, "JPEG that claims 65,535 x 65,535 pixels", lambda: claiming(65535, 65535, good())
    ),
    "vast.jpg": refused(
        Reason.TRUNCATED, "progressive JPEG of 2 KB that claims 8,000 x 8,000 pixels",
        lambda: claiming(8000, 8000, progressive()),
    ),
    "no-height.jpg": refused(Reason.TOO_SMALL, "JPEG that claims no height", lambda: claiming(0, 240, good())),
    "lossless.jpg": refused(Reason.UNDECODABLE, "lossless JPEG outside DICOM", lambda: of_process(0xC3)),
    "arithmetic.jpg": refused(Reason.UNDECODABLE, "JPEG whose frame says another process", lambda: of_process(0xCB)),
    "deep.jpg": refused(Reason.UNDECODABLE, "JPEG of 12 bits", lambda: of_process(0xC1, bits=12)),
    "scans.jpg": refused(Reason.UNDECODABLE, "progressive JPEG of 5,000 scans", endless_scans),
    "tables.jpg": refused(Reason.UNDECODABLE, "JPEG without its quantisation tables", lambda: without(0xDB)),
    "cmyk.jpg": refused(Reason.UNDECODABLE, "CMYK JPEG that does not say whether it is inverted", four_components),
    "small.jpg": refused(Reason.TOO_SMALL, "JPEG of 8 x 8 pixels", lambda: encoded(".jpg", film(8, 8))),
    "flat.jpg": refused(
        Reason.FLAT, "JPEG of one grey", lambda: encoded(".jpg", np.full((200, 200), 90, np.uint8))
    ),
    "flipped.jpg": read("JPEG with one bit flipped: a stated limit", flipped),
    "trailing.jpg": read("JPEG with zeros after its end", lambda: encoded(".jpg", film(seed=4)) + bytes(65536)),
    "turned.jpg": read(
        "JPEG with an EXIF rotation",
        lambda: with_segment(encoded(".jpg", film(seed=5)), jpeg_segment(0xE1, b"Exif\0\0" + rotated_exif(6))),
    ),
    "colour.png": read("colour JPEG named .png", lambda: colour(6)),
    "no-extension": read("progressive JPEG without an extension", progressive),
}  # fmt: skip
