"""The good files that are mutated: small, and of every kind that a format has here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSNearLossless,
)

from tests.unit.imaging.dicoms import LOSSLESS, PLAIN, dicom
from tests.unit.imaging.displays import DISPLAYS
from tests.unit.imaging.odd_containers import CONTAINERS
from tests.unit.imaging.pictures import chunk, encoded, film, jpeg_segment, png, rotated_exif, tiff, with_segment
from wetread.imaging.opencv import cv2

GREY = np.ascontiguousarray(film(seed=50)[:66, :70])
COLOUR = np.ascontiguousarray(np.stack([film(seed=seed)[:66, :70] for seed in range(50, 53)], axis=-1))


def _pngs() -> list[bytes]:
    colours = bytes(value for level in range(256) for value in (level, 255 - level, level))
    extra = chunk(b"eXIf", rotated_exif(3)) + chunk(b"gAMA", struct.pack(">I", 45455))
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200)))
    return [
        encoded(".png", GREY),
        encoded(".png", GREY.astype(np.uint16) * 16),
        encoded(".png", COLOUR),
        png(GREY, 8, 3, chunk(b"PLTE", colours) + chunk(b"tRNS", bytes(range(256)))),
        png(np.stack([GREY, 255 - GREY], axis=-1), 8, 4, extra),
        png((GREY >> 7).astype(np.uint8), 1, 0, chunk(b"tRNS", b"\0\2")),
        png(GREY, 8, 0, profile + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 500))),
        png(GREY, 8, 0, chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", _frame_control())),
    ]


def _frame_control() -> bytes:
    return struct.pack(">IIIIIHHBB", 0, 70, 66, 0, 0, 1, 10, 0, 0)


def _jpegs() -> list[bytes]:
    settings: list[tuple[int, ...]] = [
        (),
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    ]
    plain = [encoded(".jpg", pixels, *chosen) for pixels in (GREY, COLOUR) for chosen in settings]
    adobe = jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
    return [
        *plain,
        with_segment(plain[0], jpeg_segment(0xE1, b"Exif\0\0" + rotated_exif(8))),
        with_segment(plain[4], adobe),
    ]


def _tiffs() -> list[bytes]:
    lzw, packbits, deflate = 5, 32773, 8
    alpha = np.dstack([COLOUR, GREY]).astype(np.uint16)
    return [
        tiff(GREY),
        tiff(GREY, 0, order=">"),
        tiff(COLOUR, 2, planar=2),
        tiff(GREY.astype(np.float32), order=">"),
        tiff(GREY.astype(np.int16)),
        tiff(alpha, 2, tags=[(338, 3, (2,)), (274, 3, (6,))]),
        *(
            encoded(".tif", pixels, cv2.IMWRITE_TIFF_COMPRESSION, kind)
            for pixels in (GREY, COLOUR)
            for kind in (lzw, packbits, deflate)
        ),
    ]


def _dicoms() -> list[bytes]:
    deep = GREY.astype(np.uint16) * 16
    window = {"WindowCenter": "2000", "WindowWidth": "3000"}
    return [
        *(dicom(deep, syntax, bits=12, **window) for syntax in (*PLAIN, *LOSSLESS)),
        *(dicom(COLOUR, syntax) for syntax in (PLAIN[0], *LOSSLESS[:2])),
        dicom(GREY, JPEGBaseline8Bit),
        dicom(GREY, LOSSLESS[2]),
        dicom(GREY.astype(np.int16) - 100, RescaleSlope="-1", RescaleIntercept="5"),
        dicom(GREY)[132:],
        *(
            dicom(pixels, syntax, PixelData=encapsulate([stream]), bits=bits, **said)
            for pixels, syntax, stream, bits, said in _codestreams(deep)
        ),
        dicom(deep, bits=12, PixelPaddingValue=int(deep[0, 0]), PresentationLUTShape="INVERSE", **window),
        *(DISPLAYS[name][0] for name in _SHOWN),
        *(CONTAINERS[name] for name in _CONTAINERS),
    ]


def _codestreams(deep: np.ndarray) -> list[tuple[np.ndarray, str, bytes, int, dict[str, str]]]:
    """Kinds of compressed pixels that `dicom` does not write: pixels, syntax, codestream, bits, more elements."""
    lossless = {"lossless": True, "bitspersample": 12}
    signed = deep.astype(np.int16) - 2048
    colours = {"PhotometricInterpretation": "YBR_FULL_422"}
    twelve = imagecodecs.jpeg8_encode(deep, 95, bitspersample=12)
    high = imagecodecs.htj2k_encode
    return [
        *(
            (deep, JPEGLossless, imagecodecs.jpeg8_encode(deep, predictor=kind, **lossless), 12, {})
            for kind in (1, 4, 7)
        ),
        (
            COLOUR,
            JPEGLossless,
            imagecodecs.jpeg8_encode(COLOUR, lossless=True, colorspace="RGB", outcolorspace="RGB"),
            8,
            {},
        ),
        (deep, JPEGExtended12Bit, twelve, 12, {}),
        (COLOUR, JPEGExtended12Bit, imagecodecs.jpeg8_encode(COLOUR, subsampling="420"), 8, colours),
        (deep, JPEGLSNearLossless, imagecodecs.jpegls_encode(deep, 2), 16, {}),
        (COLOUR, JPEGLSNearLossless, imagecodecs.jpegls_encode(COLOUR, 1), 8, {}),
        (
            deep,
            JPEG2000,
            imagecodecs.jpeg2k_encode(deep, 60, bitspersample=12, codecformat="j2k", reversible=False),
            12,
            {},
        ),
        (
            signed,
            JPEG2000,
            imagecodecs.jpeg2k_encode(signed, 0, bitspersample=12, codecformat="j2k"),
            12,
            {},
        ),
        (GREY, HTJ2K, high(GREY, reversible=True), 8, {}),
        (deep, HTJ2K, high(deep, reversible=True), 16, {}),
        (signed, HTJ2K, high(signed, 0.001, reversible=False), 16, {}),
        (COLOUR, HTJ2K, high(COLOUR, reversible=True), 8, {}),
    ]


_SHOWN = ("VOI LUT, 8 bits, OW two a word", "modality LUT before VOI LUT", "SIGMOID 2048 1000")
_CONTAINERS = (
    "jpeg, several fragments of stated length",
    "jpeg 2000, long boxes",
    "meta in implicit VR",
    "representation ??",
)


_MAKERS: dict[str, Callable[[], list[bytes]]] = {"png": _pngs, "jpeg": _jpegs, "tiff": _tiffs, "dicom": _dicoms}
FORMATS = tuple(_MAKERS)


@cache
def seeds(form: str) -> list[bytes]:
    """Return the good files of a format."""
    return _MAKERS[form]()
