"""DICOM: the pixels of one film as grey, as a viewer would show them."""

from __future__ import annotations

import numpy as np

from schemas.errors import Rejected
from schemas.states import Reason
from wetread.imaging.dicom_decoders import RLE, check_readable, stored_samples
from wetread.imaging.dicom_header import DicomHeader, dicom_header
from wetread.imaging.dicom_levels import Shown, shown
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

__all__ = ["DicomHeader", "dicom_header", "dicom_pixels", "dicom_samples"]


def dicom_pixels(header: DicomHeader) -> Shown:
    """Decode to grey, (height, width), uint8 or uint16; a larger value is brighter.

    Colours become luminance (ITU-R BT.601). Raises Rejected NO_DECODER, TRUNCATED or UNDECODABLE.
    """
    samples = dicom_samples(header)
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


def dicom_samples(header: DicomHeader) -> Pixels:
    """Decode to the values as they are stored, (height, width), or RGB as (height, width, 3), before any LUT.

    Raises as `dicom_pixels` does.
    """
    data_set = header.data_set
    if data_set is None:
        raise ValueError("expected a header that dicom_header made")
    check_readable(header, data_set)
    samples = stored_samples(header, data_set)
    if samples.dtype.itemsize > 2 or samples.dtype.kind not in "iu":
        raise Rejected(Reason.UNDECODABLE, f"DICOM that decodes to samples of {samples.dtype}")
    if samples.ndim == 2 and (not data_set.encapsulated or data_set.transfer_syntax == RLE):
        return _within_stored_bits(samples, header)
    return samples


def _within_stored_bits(samples: Pixels, header: DicomHeader) -> Pixels:
    """Return the samples without the bits that are not theirs: overlays were once kept there."""
    above, below = header.bits - 1 - header.high_bit, header.high_bit + 1 - header.stored_bits
    if above == below == 0:
        return samples
    # To the left edge and back: the shift to the right repeats the sign of signed samples.
    return np.right_shift(np.left_shift(samples, above), above + below)
