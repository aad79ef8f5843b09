"""The pixels of a DICOM file as they are stored, by one decoder for each transfer syntax.

pydicom would take whichever is installed, and films must read the same on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.dicom.codestream import (
    BASELINE,
    EXTENDED,
    JPEG_LS,
    LOSSLESS,
    TWELVE_BITS,
    JpegStream,
    check_jpeg,
)
from wetread.imaging.dicom.elements import PIXEL_DATA, Element
from wetread.imaging.dicom.file import DataSet
from wetread.imaging.dicom.fragments import codestream_of
from wetread.imaging.dicom.header import DicomHeader
from wetread.imaging.dicom.jpeg import jpeg_ls_samples, jpeg_samples
from wetread.imaging.dicom.jpeg_2000 import check_jpeg_2000, jpeg_2000_samples, level_of
from wetread.imaging.dicom.rle import rle_samples
from wetread.imaging.grey import Pixels, decoded
from wetread.imaging.opencv import cv2

if TYPE_CHECKING:
    from pydicom import Dataset

_JPEG = "1.2.840.10008.1.2.4."
_RLE = "1.2.840.10008.1.2.5"
_EXTENDED = _JPEG + "51"
_FRAMES = {
    _JPEG + "50": BASELINE,
    _EXTENDED: EXTENDED,
    _JPEG + "57": LOSSLESS,
    _JPEG + "70": LOSSLESS,
    _JPEG + "80": JPEG_LS,
    _JPEG + "81": JPEG_LS,
}
_JPEG_2000 = frozenset(_JPEG + number for number in ("90", "91", "201", "202", "203"))
_RGB_COMPONENTS = (b"RGB", b"rgb")


def stored_samples(header: DicomHeader, data_set: DataSet, enough: int | None = None) -> Pixels:
    """Decode to (height, width[, 3]), colours as RGB, grey without the bits that are not the value's.

    enough: pixels of the longer side that are needed; a grey JPEG 2000 that has twice, four times or more as many is
    decoded at such a fraction, sides rounded up. None: all. Raises Rejected NO_PIXELS, NO_DECODER, TRUNCATED or
    UNDECODABLE, before anything is decoded where that can be told.
    """
    syntax, pixels = data_set.transfer_syntax, data_set.elements[PIXEL_DATA]
    if pixels.end == pixels.value:
        raise Rejected(Reason.NO_PIXELS, "DICOM with empty pixel data")
    if not data_set.encapsulated:
        return _uncompressed(header, data_set, pixels)
    if syntax != _RLE and syntax not in _FRAMES and syntax not in _JPEG_2000:
        raise Rejected(Reason.NO_DECODER, f"there is no decoder for {_name(syntax)}")
    if syntax == _EXTENDED and header.stored_bits > 8 and header.channels > 1:
        what = f"{_name(syntax)} with {header.stored_bits} bits in colour"
        raise Rejected(Reason.NO_DECODER, f"there is no decoder for {what}")
    codestream = codestream_of(data_set.data, pixels)
    if not codestream:
        raise Rejected(Reason.NO_PIXELS, f"DICOM in {_name(syntax)} without compressed pixels")
    try:
        if syntax == _RLE:
            return _run_lengths(codestream, header, data_set, pixels)
        if syntax in _FRAMES:
            return _jpeg(codestream, header, syntax)
        return _jpeg_2000(codestream, header, enough)
    except (Rejected, MemoryError, cv2.error):
        raise
    except Exception as error:  # noqa: BLE001  decoders raise many kinds, and their texts may quote the file
        raise Rejected(Reason.UNDECODABLE, f"its decoder failed on {_name(syntax)} ({type(error).__name__})") from None


def _uncompressed(header: DicomHeader, data_set: DataSet, element: Element) -> Pixels:
    halved = header.photometric == "YBR_FULL_422"
    pixel_bits = header.bits * (2 if halved else header.channels)
    found, needed = element.end - element.value, (header.width * header.height * pixel_bits + 7) // 8
    if found < needed:
        raise Rejected(Reason.TRUNCATED, f"DICOM with {found} bytes of pixels, expected {needed}")
    if header.channels > 1 or data_set.encoding.order == ">":  # pydicom knows where words of bytes are turned round
        samples = _by_pydicom(header, data_set, element)
        return samples if samples.ndim > 2 else _within_stored_bits(samples, header)
    kind = np.dtype(f"<{'i' if header.signed else 'u'}{header.bits // 8}")
    flat = np.frombuffer(data_set.data, kind, header.width * header.height, element.value)
    return _within_stored_bits(np.require(flat, requirements="A").reshape(header.height, header.width), header)


def _within_stored_bits(samples: Pixels, header: DicomHeader) -> Pixels:
    """Return the samples without the bits that are not theirs: overlays were once kept there."""
    below = header.high_bit + 1 - header.stored_bits
    return _low_bits(samples, header.high_bit + 1, signed=header.signed, below=below)


def _low_bits(samples: Pixels, bits: int, *, signed: bool, below: int = 0) -> Pixels:
    """Return what the low `bits` bits hold, (height, width), as signed numbers or not, without the `below` lowest."""
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("="))
    samples = samples.view(f"{'i' if signed else 'u'}{samples.dtype.itemsize}")
    spare = 8 * samples.dtype.itemsize - bits
    if below == 0:
        least, most, _, _ = cv2.minMaxLoc(samples)
        if spare == 0 or ((-(2 ** (bits - 1)) if signed else 0) <= least and most < 2 ** (bits - signed)):
            return samples
    # To the left edge and back: the shift to the right repeats the sign of signed samples.
    return np.right_shift(np.left_shift(samples, spare), spare + below)


def _run_lengths(codestream: bytes, header: DicomHeader, data_set: DataSet, element: Element) -> Pixels:
    grey = rle_samples(codestream, header.height, header.width, header.bits) if header.channels == 1 else None
    # What imagecodecs refuses pydicom may read: it leaves out what lies behind a segment.
    samples = _by_pydicom(header, data_set, element) if grey is None else grey
    return samples if samples.ndim > 2 else _within_stored_bits(samples, header)


def _jpeg(codestream: bytes, header: DicomHeader, syntax: str) -> Pixels:
    frames = TWELVE_BITS if syntax == _EXTENDED and header.stored_bits > 8 else _FRAMES[syntax]
    stream = check_jpeg(codestream, header.width, header.height, header.bits, header.channels, frames)
    if frames in (BASELINE, EXTENDED) and header.channels == 1:
        samples = decoded(codestream, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)  # as for a JPEG alone
    elif frames == JPEG_LS:
        samples = jpeg_ls_samples(codestream)
    else:
        samples = jpeg_samples(codestream, stream, lossless=frames == LOSSLESS)
    _check_shape(samples, header, level=0)
    if header.channels > 1:
        return _rgb(samples, _colours(header, stream))
    own = header.stored_bits if frames == LOSSLESS and header.bits > 8 else stream.precision
    samples = samples.astype(f"u{max(1, header.bits // 8)}", copy=False)
    return _low_bits(samples, own, signed=header.signed)


def _colours(header: DicomHeader, stream: JpegStream) -> str:
    """Return what the colours of a JPEG are: where it says so itself, that goes before what the file says."""
    if stream.components in _RGB_COMPONENTS:
        return "RGB"
    return "YBR_FULL" if stream.jfif and "YBR" not in header.photometric else header.photometric


def _jpeg_2000(codestream: bytes, header: DicomHeader, enough: int | None) -> Pixels:
    stream = check_jpeg_2000(codestream, header.width, header.height, header.bits, header.channels)
    level = level_of(stream, enough)
    try:
        samples = jpeg_2000_samples(codestream, stream, level, signed=header.signed)
    except (OSError, RuntimeError):
        if level == 0:
            raise
        level = 0  # one of its tiles has fewer levels
        samples = jpeg_2000_samples(codestream, stream, level, signed=header.signed)
    _check_shape(samples, header, level)
    return samples if header.channels == 1 else _rgb(samples, header.photometric)


def _check_shape(samples: Pixels, header: DicomHeader, level: int) -> None:
    height, width = -(-header.height // 2**level), -(-header.width // 2**level)
    if samples.shape != ((height, width) if header.channels == 1 else (height, width, header.channels)):
        raise Rejected(Reason.UNDECODABLE, f"DICOM whose decoder gave {samples.shape}, expected {(height, width)}")


def _rgb(samples: Pixels, photometric: str) -> Pixels:
    from pydicom.pixels.processing import convert_color_space

    if photometric not in ("YBR_FULL", "YBR_FULL_422"):  # of JPEG 2000's own colours its decoder makes RGB
        return samples
    return convert_color_space(np.ascontiguousarray(samples), photometric, "RGB")


def _by_pydicom(header: DicomHeader, data_set: DataSet, element: Element) -> Pixels:
    import warnings

    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    syntax = UID(data_set.transfer_syntax)
    picture = _picture(header, data_set, element)
    decoder = get_decoder(syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote the file
        try:
            samples, _ = decoder.as_array(picture, index=0, decoding_plugin="pydicom" if data_set.encapsulated else "")
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  pydicom raises many kinds, and their texts quote the file
            raise Rejected(
                Reason.UNDECODABLE, f"its decoder failed on {_name(syntax)} ({type(error).__name__})"
            ) from None
    return samples


def _picture(header: DicomHeader, data_set: DataSet, element: Element) -> Dataset:
    """Return a data set of the picture alone, as the header was understood; compressed pixels as one fragment."""
    from pydicom import DataElement, Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    picture = Dataset()
    picture.file_meta = FileMetaDataset()
    picture.file_meta.TransferSyntaxUID = UID(data_set.transfer_syntax)
    picture.Rows, picture.Columns, picture.NumberOfFrames = header.height, header.width, 1
    picture.SamplesPerPixel, picture.PhotometricInterpretation = header.channels, header.photometric
    # All bits: pydicom would clear the upper ones, also where the value has them.
    picture.BitsAllocated = picture.BitsStored = header.bits
    picture.HighBit, picture.PixelRepresentation = header.high_bit, int(header.signed)
    if header.channels > 1:
        picture.PlanarConfiguration = header.planar
    value: Any = data_set.data[element.value : element.end]
    if data_set.encapsulated:
        value = encapsulate([codestream_of(data_set.data, element)], has_bot=False)
    # Whatever a damaged file calls them: pydicom would read names or tags into them.
    pixels = DataElement(PIXEL_DATA, element.vr if element.vr in ("OB", "OW") else "OW", value)
    pixels.is_undefined_length = data_set.encapsulated
    picture.add(pixels)
    picture.set_original_encoding(not data_set.encoding.explicit, data_set.encoding.order == "<")
    return picture


def _name(syntax: str) -> str:
    from pydicom.uid import UID

    name = UID(syntax).name
    return f"the transfer syntax {syntax}" if name == syntax else name
