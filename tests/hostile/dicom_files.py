"""DICOM files: cut, without pixels, bombs, not frontal chest films, or with pixels that their decoders may die of."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from typing import Any

import numpy as np
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
)

from schemas.reasons import Reason
from tests.hostile.cases import Case, read, refused
from tests.hostile.png_files import deflated_zeros
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film


def deep(seed: int) -> np.ndarray:
    return film(seed=seed).astype(np.uint16) * 16


def said_by(**elements: Any) -> bytes:
    """A good film that says something else of itself."""
    return dicom(film(seed=30), **elements)


def without_preamble() -> bytes:
    return dicom(film(seed=31))[132:]


def disguised() -> bytes:
    """A TIFF's first bytes in the preamble, as for a file that opens in two kinds of program."""
    return b"II*\0\x08\0\0\0" + dicom(film(seed=32))[8:]


def nested(depth: int) -> bytes:
    """Sequences in sequences of undefined length, none of which ends."""
    item = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    whole = said_by()
    at = whole.index(b"\x08\0\x16\0UI")
    return whole[:at] + item * depth + whole[at:]


def inflating() -> bytes:
    """1 MB that inflates to 1 GB."""
    whole = dicom(film(), DeflatedExplicitVRLittleEndian)
    start = 144 + struct.unpack_from("<I", whole, 140)[0]  # after the group that says how the rest is written
    head = struct.pack("<HH2sHI", 0x0008, 0x0005, b"OB", 0, 2**30)
    squeezed = zlib.compressobj(wbits=-15)
    return whole[:start] + squeezed.compress(head) + squeezed.flush(zlib.Z_SYNC_FLUSH) + deflated_zeros(1024, raw=True)


def claiming_length(length: int) -> bytes:
    """The pixels claim to be longer than the file."""
    whole = said_by()
    at = whole.index(b"\xe0\x7f\x10\0") + 8
    return whole[:at] + struct.pack("<I", length) + whole[at + 4 :]


def without_tables() -> bytes:
    """Lossless JPEG whose scan lacks its Huffman table."""
    whole = dicom(deep(33), JPEGLosslessSV1, bits=12)
    at = whole.index(b"\xff\xc4")
    length = int.from_bytes(whole[at + 2 : at + 4], "big")
    return whole[:at] + b"\xff\xfe" + whole[at + 2 : at + 4] + bytes(length - 2) + whole[at + 2 + length :]


def cut_fragment(syntax: str) -> bytes:
    """The last third of the compressed pixels is gone, lengths and end put right."""
    whole = dicom(deep(34), syntax, bits=12)
    at = whole.rindex(b"\xfe\xff\0\xe0", 0, whole.index(b"\xe0\x7f\x10\0") + 64)
    (length,) = struct.unpack_from("<I", whole, at + 4)
    kept = length * 2 // 3 & ~1
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return whole[:at] + struct.pack("<HHI", 0xFFFE, 0xE000, kept) + whole[at + 8 : at + 8 + kept] + end


CASES: dict[str, Case] = {
    "cut.dcm": refused(Reason.TRUNCATED, "DICOM cut in its pixels", lambda: said_by()[:-500]),
    "stub.dcm": refused(Reason.TRUNCATED, "DICOM cut in its header", lambda: said_by()[:200]),
    "preamble.dcm": refused(Reason.TRUNCATED, "DICOM that is its preamble alone", lambda: bytes(128) + b"DICM"),
    "long.dcm": refused(Reason.TRUNCATED, "DICOM whose pixels claim 2 GB", partial(claiming_length, 0x7FFFFFFE)),
    "vast.dcm": refused(
        Reason.TOO_LARGE, "DICOM that claims 65,535 x 65,535 pixels", partial(said_by, Rows=65535, Columns=65535)
    ),
    "inflating.dcm": refused(Reason.TOO_LARGE, "deflated DICOM of 1 MB that inflates to 1 GB", inflating),
    "nested.dcm": refused(Reason.UNDECODABLE, "DICOM with 1,000 sequences in one another", partial(nested, 1000)),
    "wide.dcm": refused(Reason.UNDECODABLE, "DICOM of 64-bit samples", partial(said_by, BitsAllocated=64)),
    "report.dcm": refused(Reason.NO_PIXELS, "DICOM without pixels", partial(said_by, PixelData=None)),
    "hollow.dcm": refused(Reason.NO_PIXELS, "DICOM with empty pixels", partial(said_by, PixelData=b"")),
    "video.dcm": refused(Reason.NO_DECODER, "DICOM that says it is MPEG-2", lambda: dicom(film(), MPEG2MPML)),
    "ct.dcm": refused(Reason.OTHER_MODALITY, "DICOM of another modality", partial(said_by, Modality="CT")),
    "side.dcm": refused(Reason.OTHER_VIEW, "DICOM of a lateral view", partial(said_by, ViewPosition="LL")),
    "hand.dcm": refused(Reason.OTHER_BODY_PART, "DICOM of a hand", partial(said_by, BodyPartExamined="HAND")),
    "cine.dcm": refused(Reason.MULTI_FRAME, "DICOM of 9 frames", partial(said_by, NumberOfFrames=9)),
    "thin.dcm": refused(Reason.TOO_SMALL, "DICOM of no rows", partial(said_by, Rows=0)),
    "tables.dcm": refused(
        Reason.UNDECODABLE, "DICOM with lossless JPEG that would end its decoder's process", without_tables
    ),
    "jpeg.dcm": refused(
        Reason.TRUNCATED, "DICOM with lossless JPEG cut short", partial(cut_fragment, JPEGLosslessSV1)
    ),
    "j2k.dcm": refused(Reason.TRUNCATED, "DICOM with JPEG 2000 cut short", partial(cut_fragment, JPEG2000Lossless)),
    "rle.dcm": refused(Reason.UNDECODABLE, "DICOM with RLE cut short", partial(cut_fragment, RLELossless)),
    "bare": read("DICOM without preamble and without extension", without_preamble),
    "disguised.tif": read("DICOM with a TIFF's first bytes in its preamble", disguised),
    "implicit.jpg": read("DICOM of 12 bits named .jpg", lambda: dicom(deep(35), ImplicitVRLittleEndian, bits=12)),
}  # fmt: skip
