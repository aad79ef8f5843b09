"""Reads what a DICOM file says of its picture, by an allow-list of tags, and refuses files not for this program.

Names, dates of birth and free text are never parsed, and no message quotes more than a code.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from schemas.errors import Rejected
from schemas.films import ACCEPTED, Accepted, DisplayNote
from schemas.reasons import Reason
from wetread.imaging.dicom.codes import COLOURS, GREYS, PHOTOMETRICS, named
from wetread.imaging.dicom.elements import PIXEL_DATA
from wetread.imaging.dicom.file import DataSet, read_data_set
from wetread.imaging.dicom.subject import check_subject
from wetread.imaging.dicom.values import texts, whole
from wetread.imaging.header import Header

if TYPE_CHECKING:
    from pydicom import Dataset

ALLOWED = frozenset(
    {
        0x00080016,  # SOP Class UID
        0x00080060,  # Modality
        0x00180015,  # Body Part Examined
        0x00185101,  # View Position
        0x00280002,  # Samples per Pixel
        0x00280004,  # Photometric Interpretation
        0x00280006,  # Planar Configuration
        0x00280008,  # Number of Frames
        0x00280010,  # Rows
        0x00280011,  # Columns
        0x00280100,  # Bits Allocated
        0x00280101,  # Bits Stored
        0x00280102,  # High Bit
        0x00280103,  # Pixel Representation
        0x00280120,  # Pixel Padding Value
        0x00280121,  # Pixel Padding Range Limit
        0x00281050,  # Window Center
        0x00281051,  # Window Width
        0x00281052,  # Rescale Intercept
        0x00281053,  # Rescale Slope
        0x00281056,  # VOI LUT Function
        0x00283000,  # Modality LUT Sequence
        0x00283010,  # VOI LUT Sequence
        0x20500020,  # Presentation LUT Shape
        PIXEL_DATA,
    }
)


@dataclass(frozen=True, slots=True)
class DicomHeader(Header):
    """A DICOM's header; `bits` are those allocated.

    stored_bits, high_bit: where in a sample the value lies. signed: it is in two's complement.
    photometric: how samples become light. planar: 1 where each colour's samples lie together.
    data_set: where the pixels are. record: the allowed elements, parsed.
    notes: what of them was set right.
    """

    stored_bits: int = 0
    high_bit: int = 0
    signed: bool = False
    photometric: str = ""
    planar: int = 0
    notes: tuple[DisplayNote, ...] = ()
    data_set: DataSet | None = None
    record: Dataset | None = None


def dicom_header(data: bytes, accepted: Accepted = ACCEPTED) -> DicomHeader:
    """Read the allowed elements of a file that is DICOM.

    Raises Rejected TRUNCATED, UNDECODABLE, TOO_LARGE or NO_DECODER as `read_data_set` does, and OTHER_MODALITY,
    OTHER_BODY_PART, OTHER_VIEW or NO_PIXELS by what it says of itself; words that a site has `accepted` aside.
    """
    data_set = read_data_set(data, ALLOWED)
    try:
        record = parsed(data_set)
        check_subject(record, accepted)
        return picture_header(data_set, record)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  pydicom raises many kinds, and their texts quote values
        raise Rejected(Reason.UNDECODABLE, f"DICOM with a damaged element ({type(error).__name__})") from None


def parsed(data_set: DataSet) -> Dataset:
    """Return the allowed elements but the pixels as pydicom parses them; it raises many kinds of errors."""
    from pydicom import config
    from pydicom.filereader import read_dataset

    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # its warnings quote values
    config.settings.reading_validation_mode = config.IGNORE  # so do those that it gives as Python warnings
    kept = (element for tag, element in sorted(data_set.elements.items()) if tag != PIXEL_DATA)
    joined = b"".join(data_set.data[element.start : element.end] for element in kept)
    encoding = data_set.encoding
    return read_dataset(BytesIO(joined), not encoding.explicit, encoding.order == "<")


def _code(record: Dataset, keyword: str) -> str:
    """Return a code string in capitals, "" where it is not stated; it may be any text, so quote it by `named` alone."""
    return " ".join(texts(record, keyword)[:1]).upper()


def picture_header(data_set: DataSet, record: Dataset) -> DicomHeader:
    """Return the picture's header; raise Rejected NO_PIXELS, or UNDECODABLE for a kind that is not read."""
    if PIXEL_DATA not in data_set.elements:
        raise Rejected(Reason.NO_PIXELS, "DICOM without pixel data, such as a report or a directory")
    photometric = _code(record, "PhotometricInterpretation")
    samples, bits = _number(record, "SamplesPerPixel", 1), _number(record, "BitsAllocated")
    stored = _number(record, "BitsStored", bits)
    high = _number(record, "HighBit", stored - 1)
    signed, notes = whole(record, "PixelRepresentation"), tuple[DisplayNote, ...]()
    if signed is None:
        signed, notes = 0, (DisplayNote.PIXEL_REPRESENTATION_MISSING,)
    if photometric not in GREYS | COLOURS or samples != (1 if photometric in GREYS else 3):
        what = named(photometric, PHOTOMETRICS) if photometric else "no photometric interpretation"
        raise Rejected(Reason.UNDECODABLE, f"expected DICOM in grey, RGB or YBR, found {samples} samples of {what}")
    if bits not in (8, 16) or not stored - 1 <= high < bits or stored < 1 or signed not in (0, 1):
        raise Rejected(Reason.UNDECODABLE, f"expected DICOM samples of 8 to 16 bits, found {stored} stored in {bits}")
    return DicomHeader(
        format="dicom",
        width=_number(record, "Columns"),
        height=_number(record, "Rows"),
        bits=bits,
        colour="grey" if samples == 1 else "rgb",
        channels=samples,
        frames=_number(record, "NumberOfFrames", 1),
        stored_bits=stored,
        high_bit=high,
        signed=signed == 1,
        photometric=photometric,
        planar=_number(record, "PlanarConfiguration", 0),
        notes=notes,
        data_set=data_set,
        record=record,
    )


def _number(record: Dataset, keyword: str, otherwise: int | None = None) -> int:
    value = whole(record, keyword)
    if value is None and otherwise is not None:
        return otherwise
    if value is None:
        raise Rejected(Reason.UNDECODABLE, f"DICOM that does not state {keyword}")
    return value
