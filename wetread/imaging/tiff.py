"""TIFF: the header's facts, whether the file is whole, and the pixels as grey.

OpenCV hands 8-bit samples to libtiff's RGBA reader, which knows inverted grey, palettes and alpha; wider
samples it returns as they are stored, and what they mean is settled here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.grey import Pixels, alpha_over_black, decoded, to_grey
from wetread.imaging.header import Colour, Header
from wetread.imaging.opencv import cv2
from wetread.imaging.tiff_tags import ORIENTATION, Tag, directories, layout_of

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _STRIP_BYTES, _PLANAR, _TILES, _TILE_BYTES, _EXTRA, _SAMPLE_FORMAT = (
    273,
    277,
    279,
    284,
    324,
    325,
    338,
    339,
)
_REDUCED_OR_MASK = 0b101
_UNASSOCIATED_ALPHA = 2
_UNCOMPRESSED = 1
_PAGES_LOOKED_AT = 64
"""Pages after which a file is known well enough to be no single film."""
_COLOURS: dict[int, Colour] = {0: "grey", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk", 6: "rgb"}


@dataclass(frozen=True, slots=True)
class TiffHeader(Header):
    """A TIFF's header.

    white_is_zero: a larger sample is darker.
    alpha: "none", "premultiplied" (already over black) or "plain".
    orientation_tag: where the file states its orientation, if it does.
    missing: what there is not of the pixels, for people; empty where all are there.
    """

    white_is_zero: bool = False
    alpha: str = "none"
    orientation_tag: Tag | None = None
    missing: str = ""


def tiff_header(data: bytes) -> TiffHeader:
    """Read the directories; raise Rejected UNDECODABLE where they are not those of a readable picture."""
    layout = layout_of(data)
    if layout is None:
        raise Rejected(Reason.UNDECODABLE, "not a TIFF")
    try:
        pages = list(islice(directories(data, layout), _PAGES_LOOKED_AT))
    except ValueError as error:
        raise Rejected(Reason.UNDECODABLE, f"TIFF in which {error}") from error
    if not pages:
        raise Rejected(Reason.UNDECODABLE, "TIFF without a picture")
    first = pages[0]
    frames = sum(not _first(page, _SUBFILE, 0) & _REDUCED_OR_MASK for page in pages[1:])
    samples, bits = _first(first, _SAMPLES, 1), _first(first, _BITS, 1)
    photometric = _first(first, _PHOTOMETRIC, 1)
    _check_readable(first, samples, bits, photometric)
    orientation = first.get(ORIENTATION)
    stated = orientation.values[0] if orientation is not None else 1
    extra = _first(first, _EXTRA, 0)
    return TiffHeader(
        format="tiff",
        width=_first(first, _WIDTH, 0),
        height=_first(first, _HEIGHT, 0),
        bits=bits,
        colour=_COLOURS[photometric],
        channels=3 if photometric == 3 else samples,
        orientation=stated if 1 <= stated <= 8 else 1,
        frames=1 + frames,
        white_is_zero=photometric == 0,
        alpha="none" if _EXTRA not in first else "plain" if extra == _UNASSOCIATED_ALPHA else "premultiplied",
        orientation_tag=orientation,
        missing=_missing(first, len(data), samples * bits),
    )


def _first(page: dict[int, Tag], number: int, otherwise: int) -> int:
    return page[number].values[0] if number in page else otherwise


def _check_readable(page: dict[int, Tag], samples: int, bits: int, photometric: int) -> None:
    """Refuse what OpenCV would read without complaint, but wrongly (measured on 5.0)."""
    if photometric not in _COLOURS:
        raise Rejected(Reason.UNDECODABLE, f"TIFF with photometric interpretation {photometric}")
    if _COLOURS[photometric] == "grey" and samples > 1:
        raise Rejected(Reason.UNDECODABLE, f"grey TIFF with {samples} samples a pixel; save it without alpha")
    if samples > 1 and bits > 8 and _first(page, _PLANAR, 1) == 2:
        raise Rejected(Reason.UNDECODABLE, f"TIFF with {bits}-bit colours in separate planes; save them interleaved")


def _missing(page: dict[int, Tag], size: int, bits_per_pixel: int) -> str:
    """Say what a file of `size` bytes lacks of the pixels that it promises; OpenCV would make it up."""
    offsets = page.get(_STRIPS) or page.get(_TILES)
    counts = page.get(_STRIP_BYTES) or page.get(_TILE_BYTES)
    if offsets is None or counts is None:
        raise Rejected(Reason.UNDECODABLE, "TIFF that does not say where its pixels are")
    if any(offset + count > size for offset, count in zip(offsets.values, counts.values, strict=False)):
        return "TIFF whose pixels lie beyond the end of the file"
    needed = _first(page, _WIDTH, 0) * _first(page, _HEIGHT, 0) * bits_per_pixel // 8
    if _first(page, _COMPRESSION, 1) == _UNCOMPRESSED and sum(counts.values) < needed:
        return f"TIFF with {sum(counts.values)} bytes of pixels, expected {needed}"
    return ""


def tiff_pixels(data: bytes, header: TiffHeader) -> Pixels:
    """Decode to grey, (height, width), uint8, uint16 or float32; a larger value is brighter.

    Signed integers of 8 and 16 bits are shifted to unsigned, which keeps their order; wider samples become
    float32. Samples that are not finite become the smallest that is. Raises Rejected TRUNCATED or UNDECODABLE.
    """
    if header.missing:
        raise Rejected(Reason.TRUNCATED, header.missing)
    if header.orientation != 1 and header.orientation_tag is not None:
        data = _upright(data, header.orientation_tag)
    pixels = decoded(data, cv2.IMREAD_UNCHANGED)
    eight_bit = pixels.dtype == np.uint8
    if header.alpha == "plain" and not eight_bit and pixels.ndim == 3 and pixels.shape[2] == 4:
        if pixels.dtype != np.uint16:
            raise Rejected(Reason.UNDECODABLE, f"TIFF with alpha and samples of {pixels.dtype}")
        grey = alpha_over_black(pixels)
    else:
        grey = to_grey(_plain_samples(pixels))
    if header.white_is_zero and not eight_bit:
        grey = np.iinfo(grey.dtype).max - grey if grey.dtype.kind == "u" else -grey
    return grey


def _upright(data: bytes, orientation: Tag) -> bytes:
    """Return the file with its orientation set to 1: OpenCV turns TIFFs whatever it is asked."""
    one = np.ones(1, orientation.dtype).tobytes()
    return data[: orientation.offset] + one + data[orientation.offset + len(one) :]


def _plain_samples(pixels: Pixels) -> Pixels:
    """Return uint8, uint16 or finite float32 samples."""
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    if pixels.dtype == np.int8:
        return (pixels.astype(np.int16) + 2**7).astype(np.uint8)
    if pixels.dtype == np.int16:
        return (pixels.astype(np.int32) + 2**15).astype(np.uint16)
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which is dealt with below
        samples = pixels.astype(np.float32)
    finite = np.isfinite(samples)
    if not finite.any():
        raise Rejected(Reason.UNDECODABLE, "TIFF without one finite sample")
    return samples if finite.all() else np.where(finite, samples, samples[finite].min())
