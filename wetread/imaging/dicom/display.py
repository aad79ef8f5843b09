"""What a DICOM file says of how its pixels are displayed, in one form however it is encoded.

Two files whose elements say the same have the same, whether they are explicit or implicit, big or little endian, or
write a number as 40 or as 40.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wetread.imaging.dicom.header import DicomHeader
from wetread.imaging.dicom.lut import lut
from wetread.imaging.dicom.values import decimals, texts, words

if TYPE_CHECKING:
    from pydicom import Dataset

_CODES = ("VOILUTFunction", "PresentationLUTShape")
_NUMBERS = ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth")
_WORDS = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_TABLES = ("ModalityLUTSequence", "VOILUTSequence")


def display_of(header: DicomHeader) -> bytes:
    """Return all that the file says of the display of its pixels, of a header that `dicom_header` made."""
    kind = header.photometric if header.channels == 1 else "colour"
    parts: list[object] = [kind, header.stored_bits, header.signed]
    if header.record is not None and header.channels == 1:
        parts += _said(header.record)
    return repr(parts).encode()


def _said(record: Dataset) -> Iterator[object]:
    yield from ([one.upper() for one in texts(record, name)] for name in _CODES)
    yield from (decimals(record, name) for name in _NUMBERS)
    yield from (words(record, name) for name in _WORDS)
    yield from (list(_tables(record, name)) for name in _TABLES)


def _tables(record: Dataset, keyword: str) -> Iterator[object]:
    from pydicom import Dataset as Item

    try:
        items = [item for item in record[keyword].value or () if isinstance(item, Item)] if keyword in record else []
    except Exception:  # noqa: BLE001  pydicom raises many kinds on a damaged sequence
        items = []
    for item in items:
        found = lut(item, negative_inputs=False)
        yield None if found is None else (found.first, found.entries.astype("<u2").tobytes())
