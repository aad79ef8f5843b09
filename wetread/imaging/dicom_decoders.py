"""The pixels of a DICOM file as they are stored, by pydicom and the decoders that it calls.

Each transfer syntax has one decoder, named here: pydicom would take whichever is installed, and films must read
the same on every machine.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from schemas.errors import Rejected
from schemas.states import Reason
from wetread.imaging.dicom_codestream import (
    BASELINE,
    EXTENDED,
    JPEG_LS,
    LOSSLESS,
    TWELVE_BITS,
    check_jpeg,
    check_jpeg_2000,
)
from wetread.imaging.dicom_elements import PIXEL_DATA, Element
from wetread.imaging.dicom_file import DataSet
from wetread.imaging.dicom_fragments import codestream_of
from wetread.imaging.dicom_header import DicomHeader
from wetread.imaging.grey import Pixels, decoded, refuse_made_up
from wetread.imaging.native_stderr import codec_messages
from wetread.imaging.opencv import cv2

if TYPE_CHECKING:
    from pydicom import Dataset

_JPEG = "1.2.840.10008.1.2.4."
RLE = "1.2.840.10008.1.2.5"
_EXTENDED = _JPEG + "51"
_PLUGINS = {RLE: "pydicom"}
_FRAMES = {
    _JPEG + "50": BASELINE,
    _EXTENDED: EXTENDED,
    _JPEG + "57": LOSSLESS,
    _JPEG + "70": LOSSLESS,
    _JPEG + "80": JPEG_LS,
    _JPEG + "81": JPEG_LS,
}
_PLUGINS |= dict.fromkeys(_FRAMES, "gdcm")
_PLUGINS |= {_JPEG + number: "pylibjpeg" for number in ("90", "91", "201", "202", "203")}


def check_readable(header: DicomHeader, data_set: DataSet) -> None:
    """Check, before anything is decoded, that there is a decoder and all pixels.

    Raises Rejected NO_PIXELS, NO_DECODER, TRUNCATED or UNDECODABLE.
    """
    syntax, pixels = data_set.transfer_syntax, data_set.elements[PIXEL_DATA]
    if pixels.end == pixels.value:
        raise Rejected(Reason.NO_PIXELS, "DICOM with empty pixel data")
    if not data_set.encapsulated:
        halved = header.photometric == "YBR_FULL_422"
        pixel_bits = header.bits * (2 if halved else header.channels)
        found, needed = pixels.end - pixels.value, (header.width * header.height * pixel_bits + 7) // 8
        if found < needed:
            raise Rejected(Reason.TRUNCATED, f"DICOM with {found} bytes of pixels, expected {needed}")
        return
    plugin = _PLUGINS.get(syntax)
    if plugin is None:
        raise Rejected(Reason.NO_DECODER, f"there is no decoder for {_name(syntax)}")
    deep = syntax == _EXTENDED and header.stored_bits > 8
    if deep and header.channels > 1:
        what = f"{_name(syntax)} with {header.stored_bits} bits in colour"
        raise Rejected(Reason.NO_DECODER, f"there is no decoder for {what}")
    codestream = codestream_of(data_set.data, pixels)
    if not codestream:
        raise Rejected(Reason.NO_PIXELS, f"DICOM in {_name(syntax)} without compressed pixels")
    if plugin == "gdcm":
        frames = TWELVE_BITS if deep else _FRAMES[syntax]
        check_jpeg(codestream, header.width, header.height, header.bits, header.channels, frames)
    elif plugin == "pylibjpeg":
        check_jpeg_2000(codestream, header.width, header.height)


def stored_samples(header: DicomHeader, data_set: DataSet) -> Pixels:
    """Decode to (height, width[, 3]), colours as RGB; values as the decoder gives them, unused bits included.

    Raises Rejected UNDECODABLE, or TRUNCATED where the decoder had to make up an end.
    """
    syntax, element = data_set.transfer_syntax, data_set.elements[PIXEL_DATA]
    _silence_gdcm()
    if syntax == _EXTENDED and header.stored_bits > 8:
        return _twelve_bits(codestream_of(data_set.data, element), header)
    if _FRAMES.get(syntax) in (BASELINE, EXTENDED) and header.channels == 1:
        # OpenCV, as for a JPEG alone: a warning of the codec within GDCM ends the process.
        grey = decoded(codestream_of(data_set.data, element), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
        return grey.view(np.int8) if header.signed else grey
    return _by_pydicom(header, data_set, element)


def _by_pydicom(header: DicomHeader, data_set: DataSet, element: Element) -> Pixels:
    import warnings

    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    syntax = UID(data_set.transfer_syntax)
    picture = _picture(header, data_set, element)
    decoder = get_decoder(syntax)
    plugin = _PLUGINS[syntax] if data_set.encapsulated else ""
    with codec_messages(alone=True) as messages, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote the file
        try:
            samples, _ = decoder.as_array(picture, index=0, decoding_plugin=plugin)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  decoders raise many kinds, and their texts quote the file
            raise Rejected(
                Reason.UNDECODABLE, f"its decoder failed on {_name(syntax)} ({type(error).__name__})"
            ) from None
    refuse_made_up(messages)
    return samples


def _picture(header: DicomHeader, data_set: DataSet, element: Element) -> Dataset:
    """Return a data set of the picture alone, as the header was understood; compressed pixels as one fragment."""
    from pydicom import DataElement, Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    picture = Dataset()
    picture.file_meta = FileMetaDataset()
    syntax = data_set.transfer_syntax
    picture.file_meta.TransferSyntaxUID = UID(syntax)
    picture.Rows, picture.Columns, picture.NumberOfFrames = header.height, header.width, 1
    picture.SamplesPerPixel, picture.PhotometricInterpretation = header.channels, header.photometric
    picture.BitsAllocated, picture.BitsStored, picture.HighBit = header.bits, header.stored_bits, header.high_bit
    picture.PixelRepresentation = int(header.signed)
    if header.channels > 1:
        picture.PlanarConfiguration = header.planar
    if not data_set.encapsulated or syntax == RLE:  # pydicom would clear the upper bits, also where the value has them
        picture.BitsStored = picture.BitsAllocated
    elif syntax in _FRAMES and picture.BitsAllocated == 8:  # GDCM ends its process on 8-bit JPEGs said to have fewer
        picture.BitsStored, picture.HighBit = 8, 7
    value: Any = data_set.data[element.value : element.end]
    if data_set.encapsulated:
        value = encapsulate([codestream_of(data_set.data, element)], has_bot=False)
    # Whatever a damaged file calls them: pydicom would read names or tags into them.
    pixels = DataElement(PIXEL_DATA, element.vr if element.vr in ("OB", "OW") else "OW", value)
    pixels.is_undefined_length = data_set.encapsulated
    picture.add(pixels)
    picture.set_original_encoding(not data_set.encoding.explicit, data_set.encoding.order == "<")
    return picture


def _twelve_bits(codestream: bytes, header: DicomHeader) -> Pixels:
    """Decode an extended JPEG of 12 bits by GDCM itself; pydicom does not ask it for these.

    Its pixels were compared with libjpeg-turbo's, and are the same.
    """
    import gdcm

    width, height = header.width, header.height
    fragment, fragments = gdcm.Fragment(), gdcm.SequenceOfFragments.New()
    fragment.SetByteStringValue(codestream)
    fragments.AddFragment(fragment)
    pixels = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixels.SetValue(fragments.__ref__())
    picture = gdcm.Image()
    picture.SetNumberOfDimensions(2)
    picture.SetDimensions((width, height, 1))
    picture.SetDataElement(pixels)
    picture.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    picture.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    picture.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, 0))
    with codec_messages(alone=True) as messages:
        # GDCM returns bytes as a text, and None where it failed.
        found = (picture.GetBuffer() or "").encode("utf-8", "surrogateescape")
    refuse_made_up(messages)
    if len(found) != 2 * width * height:
        raise Rejected(Reason.UNDECODABLE, f"its decoder failed on {_name(_EXTENDED)} of 12 bits")
    samples = np.frombuffer(found, "<u2").reshape(height, width)
    return np.right_shift(np.left_shift(samples, 4).view(np.int16), 4) if header.signed else samples


@cache
def _silence_gdcm() -> None:
    """Keep GDCM from printing: what is wrong with a file is said once, by `Rejected`."""
    import gdcm

    for off in (gdcm.Trace.DebugOff, gdcm.Trace.WarningOff, gdcm.Trace.ErrorOff):
        off()


def _name(syntax: str) -> str:
    from pydicom.uid import UID

    name = UID(syntax).name
    return f"the transfer syntax {syntax}" if name == syntax else name
