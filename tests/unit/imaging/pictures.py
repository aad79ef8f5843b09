"""Pictures to test with: films drawn here, and files built byte by byte where no encoder makes such files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable

import numpy as np

from wetread.imaging.opencv import cv2

HEIGHT, WIDTH = 96, 112


def ramp(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Grey levels that differ at every turn or mirroring: brighter to the right, much brighter downwards."""
    rows = np.linspace(0, 200, height)[:, None]
    return np.rint(rows + np.linspace(0, 55, width)).astype(np.uint8)


def film(height: int = 200, width: int = 240, seed: int = 0) -> np.ndarray:
    """Smooth noise over the full range of 8 bits, which compresses like a film."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8 + 2, width // 8 + 2)).astype(np.uint8)
    picture = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)


def encoded(extension: str, pixels: np.ndarray, *settings: int) -> bytes:
    return cv2.imencode(extension, pixels, settings)[1].tobytes()


def rotated_exif(orientation: int, order: str = "<") -> bytes:
    """An EXIF block that states an orientation and nothing else."""
    sign = b"II*\0" if order == "<" else b"MM\0*"
    return sign + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segment(jpeg: bytes, segment: bytes) -> bytes:
    """The JPEG with a segment right after its start marker."""
    return jpeg[:2] + segment + jpeg[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    samples: np.ndarray, bits: int, colour_type: int, extra: bytes = b"", size: tuple[int, int] | None = None
) -> bytes:
    """A PNG of (height, width[, channels]) samples; `extra`: chunks before the pixels; `size`: what the header says."""
    height, width = size or samples.shape[:2]
    flat = samples.reshape(len(samples), -1)
    if bits < 8:
        digits = (flat[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        rows = [np.packbits(row).tobytes() for row in digits.reshape(len(flat), -1).astype(np.uint8)]
    else:
        rows = [row.astype(">u2" if bits == 16 else "u1").tobytes() for row in flat]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + pixels + chunk(b"IEND", b"")


def tiff(
    samples: np.ndarray,
    photometric: int = 1,
    *,
    order: str = "<",
    planar: int = 1,
    pages: int = 1,
    tags: Iterable[tuple[int, int, tuple[int, ...]]] = (),
    change: Callable[[dict[int, tuple[int, tuple[int, ...]]]], None] = lambda entries: None,
) -> bytes:
    """An uncompressed TIFF of (height, width[, channels]) samples with its directory first, pixels last.

    tags: further (number, type, values); 3 is a 16-bit and 4 a 32-bit whole number. change: alters all tags.
    """
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    planes = [samples] if planar == 1 else [samples[..., k] for k in range(channels)]
    raw = [np.ascontiguousarray(plane).astype(plane.dtype.newbyteorder(order)).tobytes() for plane in planes]
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    entries: dict[int, tuple[int, tuple[int, ...]]] = {
        256: (4, (width,)),
        257: (4, (height,)),
        258: (3, (samples.dtype.itemsize * 8,) * channels),
        259: (3, (1,)),
        262: (3, (photometric,)),
        273: (4, (0,) * len(raw)),
        277: (3, (channels,)),
        278: (4, (height,)),
        279: (4, tuple(map(len, raw))),
        284: (3, (planar,)),
        339: (3, (kind,) * channels),
    } | {number: (field, values) for number, field, values in tags}
    directory = 2 + 12 * len(entries) + 4
    outside = sum(len(_packed(order, *entry)) for entry in entries.values() if len(_packed(order, *entry)) > 4)
    pixels_at = 8 + pages * (directory + outside)
    entries[273] = (4, tuple(pixels_at + sum(map(len, raw[:k])) for k in range(len(raw))))
    change(entries)
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for page in range(pages):
        start = len(out)
        values = b""
        out += struct.pack(order + "H", len(entries))
        for number, (field, numbers) in sorted(entries.items()):
            packed = _packed(order, field, numbers)
            if len(packed) > 4:
                packed, values = struct.pack(order + "I", start + directory + len(values)), values + packed
            out += struct.pack(order + "HHI", number, field, len(numbers)) + packed.ljust(4, b"\0")
        last = page == pages - 1
        out += struct.pack(order + "I", 0 if last else start + directory + outside) + values
    return out.ljust(pixels_at, b"\0") + b"".join(raw)


def _packed(order: str, field: int, values: tuple[int, ...]) -> bytes:
    return struct.pack(order + str(len(values)) + {3: "H", 4: "I"}[field], *values)
