"""Stored values to what is shown: modality LUT, then VOI LUT or window, then MONOCHROME1 inverted.

    stored value -> (slope v + intercept, or the modality LUT)
                 -> (the VOI LUT, or the first window)
                 -> larger is brighter

Every step maps one value to one value, so all of them are applied once, to each value that there can be. A film
without LUT or window keeps its stored values: its range is normalised later, as that of every film.

Source: DICOM PS3.3, C.11.1 and C.11.2, computed by pydicom; C.7.6.3.1.2 for MONOCHROME1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from schemas.errors import Rejected
from schemas.states import Reason
from wetread.imaging.grey import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

_MIDDLE = 2**15 - 1
"""Levels run from 0 to twice this. The odd count puts a level in the middle, and rounding is away from it or
towards it on both sides alike: a film and its inverted twin come out as exact mirror images."""


def shown(samples: Pixels, record: Dataset, *, stored_bits: int, signed: bool, inverted: bool) -> Pixels:
    """Return (height, width) uint8 or uint16, larger is brighter, of stored values `samples` (height, width).

    samples: int or uint of 8 or 16 bits, within `stored_bits` bits. inverted: the file is MONOCHROME1. Raises
    Rejected UNDECODABLE where a LUT cannot be applied.
    """
    least = -(2 ** (stored_bits - 1)) if signed else 0
    top = 2**stored_bits - 1
    narrow = np.dtype(np.uint8 if stored_bits <= 8 else np.uint16)
    position = np.clip(samples.astype(np.int32) - least, 0, top)
    try:
        if not _has_table(record):
            falling = float(record.get("RescaleSlope") or 1) < 0
            levels: Pixels = (position if inverted == falling else top - position).astype(narrow)
            return levels
        values = _transformed(np.arange(least, least + top + 1), record)
    except Exception as error:  # noqa: BLE001  pydicom raises many kinds, and their texts quote values
        raise Rejected(Reason.UNDECODABLE, f"DICOM with a damaged LUT or window ({type(error).__name__})") from None
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Rejected(Reason.UNDECODABLE, "DICOM with a LUT or window that gives no finite values")
    share = (values - low) / (high - low) - 0.5 if high > low else np.zeros_like(values)
    # Rounded first to what float64 holds of it, so that a half stays a half in the twin too.
    offsets = np.rint(np.round(2 * _MIDDLE * share, 6)).astype(np.int32)
    table = (_MIDDLE + (-offsets if inverted else offsets)).astype(np.uint16)
    return np.asarray(table[position])


def _has_table(record: Dataset) -> bool:
    """Say whether more than a straight line lies between stored values and what is shown."""
    return bool(record.get("ModalityLUTSequence") or record.get("VOILUTSequence")) or _has_window(record)


def _has_window(record: Dataset) -> bool:
    """Say whether the first window can be used: LINEAR asks for a width of 1 at least, the others for more than 0."""
    width, centre = _first(record.get("WindowWidth")), _first(record.get("WindowCenter"))
    if width is None or centre is None:
        return False
    linear = str(record.get("VOILUTFunction") or "LINEAR").strip().upper() == "LINEAR"
    return width >= 1 if linear else width > 0


def _first(value: object) -> float | None:
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = next(iter(value), None)
    return None if value is None or value == "" else float(str(value))


def _transformed(stored: npt.NDArray[np.int64], record: Dataset) -> npt.NDArray[np.float64]:
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    values = apply_modality_lut(stored, record)
    if record.get("VOILUTSequence") or _has_window(record):
        values = apply_voi_lut(values, record)
    return np.asarray(values, np.float64)
