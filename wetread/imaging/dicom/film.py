"""Decodes one DICOM film to grey pixels, as a viewer would show them."""

from __future__ import annotations

import numpy as np

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.dicom.decoders import stored_samples
from wetread.imaging.dicom.header import DicomHeader, dicom_header
from wetread.imaging.dicom.levels import Shown, shown
from wetread.imaging.dicom.padding import padding
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

__all__ = ["DicomHeader", "dicom_header", "dicom_pixels", "dicom_samples"]


def dicom_pixels(header: DicomHeader, enough: int | None = None) -> Shown:
    """Decode to grey, (height, width), uint8 or uint16; a larger value is brighter.

    enough: as `stored_samples` has it; of a film with pixel padding all is decoded, since padding would be mixed with
    what lies beside it. Colours become luminance (ITU-R BT.601). Raises Rejected NO_PIXELS, NO_DECODER, TRUNCATED or
    UNDECODABLE.
    """
    padded = header.record is not None and padding(header.record, signed=header.signed) is not None
    samples = dicom_samples(header, None if padded else enough)
    if samples.ndim == 3 or header.record is None:
        return Shown(cv2.cvtColor(np.ascontiguousarray(samples), cv2.COLOR_RGB2GRAY), header.notes)
    film = shown(
        samples,
        header.record,
        stored_bits=header.stored_bits,
        signed=header.signed,
        inverted=header.photometric == "MONOCHROME1",
    )
    return Shown(film.pixels, (*header.notes, *film.notes))


def dicom_samples(header: DicomHeader, enough: int | None = None) -> Pixels:
    """Decode to the values as they are stored, (height, width), or RGB as (height, width, 3), before any LUT.

    Raises as `dicom_pixels` does.
    """
    if header.data_set is None:
        raise ValueError("expected a header that dicom_header made")
    samples = stored_samples(header, header.data_set, enough)
    if samples.dtype.itemsize > 2 or samples.dtype.kind not in "iu":
        raise Rejected(Reason.UNDECODABLE, f"DICOM that decodes to samples of {samples.dtype}")
    return samples
