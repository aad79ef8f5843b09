"""Decodes the bytes of a file to grey pixels, or says why it cannot. The file's name plays no part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from schemas.errors import Rejected
from schemas.films import ACCEPTED, Accepted, DisplayNote
from schemas.reasons import Reason
from wetread.imaging import jpeg, png
from wetread.imaging.dicom.display import display_of
from wetread.imaging.dicom.file import has_preamble, is_dicom
from wetread.imaging.dicom.film import DicomHeader, dicom_header, dicom_pixels
from wetread.imaging.grey import Pixels
from wetread.imaging.header import Enough, Format, Header
from wetread.imaging.jpeg import JpegHeader, jpeg_divisor, jpeg_header, jpeg_pixels
from wetread.imaging.opencv import PIXELS_LIMIT, cv2
from wetread.imaging.png import PngHeader, png_header, png_pixels
from wetread.imaging.tiff import TiffHeader, tiff_header, tiff_pixels
from wetread.imaging.tiff_tags import layout_of

LEAST_SIDE = 64
"""Pixels of the shorter side, at least; less is a thumbnail or an icon."""
ASPECT_LIMIT = 4.0
"""Longer side over shorter side, at most; films are below 1.5."""
DECODED_BYTES_LIMIT = 2**29
"""Bytes of the largest decoded picture, all channels: 512 MiB."""
ALL = Enough()
"""All pixels are needed."""

_OTHERS = (
    (b"GIF8", 0, "GIF"),
    (b"BM", 0, "BMP"),
    (b"WEBP", 8, "WebP"),
    (b"\0\0\0\x0cjP  ", 0, "JPEG 2000"),
    (b"%PDF", 0, "PDF"),
)


Picture = tuple[Pixels, tuple[DisplayNote, ...]]
"""Pixels, and what of a DICOM film's display was left out or set right."""

HeaderT = TypeVar("HeaderT", bound=Header)


@dataclass(frozen=True, slots=True)
class PictureForm(Generic[HeaderT]):
    """A form of file that is read.

    sniff: whether a file's bytes look like it. header: what the file declares, nothing decoded. pixels: the picture,
    of as many pixels as the header says, or of fewer where less is enough. The last two raise Rejected.
    """

    sniff: Callable[[bytes], bool]
    header: Callable[[bytes, Accepted], HeaderT]
    pixels: Callable[[bytes, HeaderT, Enough], Picture]


@dataclass(frozen=True, slots=True)
class Grey:
    """A decoded picture.

    pixels: (height, width), uint8, uint16 or float32; larger is brighter. Where less was asked for, fewer.
    bits: of one sample as stored; 12-bit films are often stored in 16.
    channels: samples a pixel as stored, alpha included.
    orientation: EXIF orientation, 1 (upright) to 8. It is recorded and not applied.
    notes: what of a DICOM film's display was left out or set right.
    display: what a DICOM file says of its display, as `display_of` has it; empty for other files.
    """

    pixels: Pixels = field(repr=False)
    format: Format
    bits: int
    channels: int
    orientation: int
    notes: tuple[DisplayNote, ...] = ()
    display: bytes = b""


def decode(data: bytes, enough: Enough = ALL, accepted: Accepted = ACCEPTED) -> Grey:
    """Decode a PNG, JPEG, TIFF or DICOM to grey.

    enough: pixels of the longer side that the caller needs. A JPEG of twice, four or eight times as many is decoded at
    that fraction of its size, and a grey JPEG 2000 within a DICOM at any half of a half that it has; others are not.
    accepted: words of a DICOM's header that a site wants read although they name something else.
    Colours become luminance (ITU-R BT.601), alpha is composed over black, CMYK is converted; a DICOM becomes
    what its LUTs and window show. Raises Rejected with UNDECODABLE, TRUNCATED, TOO_LARGE, TOO_SMALL, MULTI_FRAME
    or FLAT, for a DICOM also NO_PIXELS, NO_DECODER, OTHER_MODALITY, OTHER_VIEW or OTHER_BODY_PART, and no other
    error but MemoryError: within the limits above the machine is to blame for that, not the file.
    """
    form = _form_of(data)
    header = form.header(data, accepted)
    _check(header)
    try:
        pixels, notes = form.pixels(data, header, enough)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(f"no memory for {header.width} x {header.height} pixels") from error
        raise Rejected(Reason.UNDECODABLE, f"OpenCV failed on it: {error.err}") from error
    if _is_flat(pixels):
        raise Rejected(Reason.FLAT, f"every pixel has the value {pixels.flat[0]}")
    display = display_of(header) if isinstance(header, DicomHeader) else b""
    return Grey(pixels, header.format, header.bits, header.channels, header.orientation, notes, display)


def read_header(data: bytes, accepted: Accepted = ACCEPTED) -> Header:
    """Read what the file declares, without decoding; raise Rejected UNDECODABLE or TRUNCATED, or a DICOM's reasons."""
    header: Header = _form_of(data).header(data, accepted)
    return header


def _check(header: Header) -> None:
    width, height = header.width, header.height
    short, long = sorted((width, height))
    if header.frames > 1:
        raise Rejected(Reason.MULTI_FRAME, f"expected one picture, found {header.frames}")
    if width * height > PIXELS_LIMIT or width * height * header.channels * header.bits > 8 * DECODED_BYTES_LIMIT:
        raise Rejected(Reason.TOO_LARGE, f"{width} x {height} pixels, of which at most {PIXELS_LIMIT} are decoded")
    if short < LEAST_SIDE:
        raise Rejected(Reason.TOO_SMALL, f"{width} x {height} pixels; expected at least {LEAST_SIDE} a side")
    if long > ASPECT_LIMIT * short:
        raise Rejected(
            Reason.TOO_SMALL, f"{width} x {height} pixels: one side is over {ASPECT_LIMIT:g} times the other"
        )


def _of_size(pixels: Pixels, header: Header, divisor: int = 1) -> Pixels:
    """Return `pixels`; raise Rejected UNDECODABLE where they are not as many as the header says, each side divided."""
    height, width = -(-header.height // divisor), -(-header.width // divisor)
    if pixels.shape != (height, width):
        raise Rejected(
            Reason.UNDECODABLE,
            f"expected {width} x {height} pixels, as its header says, found {pixels.shape[1]} x {pixels.shape[0]}",
        )
    return pixels


def _png(data: bytes, header: PngHeader, _: Enough) -> Picture:
    return _of_size(png_pixels(data, header), header), ()


def _jpeg(data: bytes, header: JpegHeader, enough: Enough) -> Picture:
    divisor = jpeg_divisor(header, enough.jpeg)
    return _of_size(jpeg_pixels(data, header, divisor), header, divisor), ()


def _tiff(data: bytes, header: TiffHeader, _: Enough) -> Picture:
    return _of_size(tiff_pixels(data, header), header), ()


def _dicom(_: bytes, header: DicomHeader, enough: Enough) -> Picture:
    film = dicom_pixels(header, enough.wavelets)  # which looks at their number itself
    return film.pixels, film.notes


_FORMS: tuple[PictureForm[Any], ...] = (
    PictureForm(lambda data: data.startswith(png.SIGNATURE), lambda data, _: png_header(data), _png),
    PictureForm(lambda data: data.startswith(jpeg.SIGNATURE), lambda data, _: jpeg_header(data), _jpeg),
    PictureForm(
        lambda data: layout_of(data) is not None and not has_preamble(data), lambda data, _: tiff_header(data), _tiff
    ),
    PictureForm(is_dicom, dicom_header, _dicom),
)
"""What is read. The first that a file's bytes look like is what it is taken for."""


def _form_of(data: bytes) -> PictureForm[Any]:
    for form in _FORMS:
        if form.sniff(data):
            return form
    found = next((name for sign, at, name in _OTHERS if data[at : at + len(sign)] == sign), None)
    what = f"found {found}" if found else "found no picture" if data else "found an empty file"
    raise Rejected(Reason.UNDECODABLE, f"expected PNG, JPEG, TIFF or DICOM, {what}")


def _is_flat(pixels: Pixels) -> bool:
    if pixels[0, 0] != pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]:
        return False
    least, most, _, _ = cv2.minMaxLoc(pixels)
    return bool(least == most)
