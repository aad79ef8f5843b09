"""Turns stored values into grey levels: modality LUT or rescale, VOI LUT or window, presentation shape.

    stored value -> the modality LUT, or slope v + intercept
                 -> the VOI LUT, or the first window
                 -> mirrored where MONOCHROME1 or the shape INVERSE says that larger is darker
                 -> larger is brighter

Every step maps one value to one value, so all of them are applied once, to each value that the film has. A film without
LUT or window keeps its stored values: its range is normalised later, as that of every film. An element that cannot be
used is left out, as if it were not there, and noted.

Source: DICOM PS3.3, C.11.1, C.11.2 and C.11.6; C.7.6.3.1.2 for MONOCHROME1; C.7.5.1.1.2 for padding. A rescale counts
where slope and intercept are both stated, as in dcmtk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from schemas.films import DisplayNote
from wetread.imaging.dicom.lut import Lut, lut
from wetread.imaging.dicom.padding import padding
from wetread.imaging.dicom.values import decimals, has_comma, texts
from wetread.imaging.dicom.window import DisplayWindow, windows
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

if TYPE_CHECKING:
    from pydicom import Dataset

Values = npt.NDArray[np.float64]
Notes = list[DisplayNote]

_MIDDLE = 2**15 - 1
"""Levels run from 0 to twice this. The odd count puts a level in the middle, and rounding is away from it or
towards it on both sides alike: a film and its inverted twin come out as exact mirror images."""
_LEAST_SHARE = 0.25
"""Padding is shown as the least that can be shown, unless the film would keep a smaller share of the levels: one of 12
bits that is kept in 16 as it is. Then it is shown as the least that the film has."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A film as it is shown: (height, width) uint8 or uint16, larger is brighter; and what was not as it should be."""

    pixels: Pixels
    notes: tuple[DisplayNote, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A rescale: slope v + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    def of(self, values: Values) -> Values:
        """Return the values rescaled."""
        return self.slope * values + self.intercept


def shown(samples: Pixels, record: Dataset, *, stored_bits: int, signed: bool, inverted: bool) -> Shown:
    """Show stored values `samples`, (height, width) int or uint of 8 or 16 bits, within `stored_bits` bits.

    inverted: the file is MONOCHROME1.
    """
    notes = Notes()
    lowest = -(2 ** (stored_bits - 1)) if signed else 0
    inverted = inverted or [one.upper() for one in texts(record, "PresentationLUTShape")[:1]] == ["INVERSE"]
    positions, *ends = _positions(samples, lowest, 2**stored_bits - 1)
    marked, least, most = _parted(positions, ends, lowest, record, notes, signed=signed)
    own = np.arange(lowest + least, lowest + most + 1, dtype=np.float64)
    modality = _modality(record, own, notes)
    voi = _voi(record, modality.of(own), notes)
    if marked is None and voi is None and isinstance(modality, Line):
        mirrored = inverted != (modality.slope < 0)
        top = positions.dtype.type(2**stored_bits - 1)
        return Shown(np.subtract(top, positions) if mirrored else positions, tuple(notes))
    black = None
    if marked is not None:
        every = np.arange(lowest, lowest + 2**stored_bits, dtype=np.float64)
        black = float(_brightness(every, modality, voi, inverted=inverted).min())
    table = _levels(_brightness(own, modality, voi, inverted=inverted), black)
    pixels = _looked_up(table, positions, least)
    if marked is not None:
        pixels[marked] = 0
    return Shown(pixels, tuple(dict.fromkeys(notes)))


def _positions(samples: Pixels, lowest: int, top: int) -> tuple[Pixels, int, int]:
    """Return how far each value lies above `lowest`, and the least and greatest of these.

    What lies beyond 0 or `top` is held there. Values that are such distances already are not copied.
    """
    narrow = np.dtype(np.uint8 if top < 2**8 else np.uint16)
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("="))
    found, lasting, _, _ = cv2.minMaxLoc(samples)
    least, most = int(found) - lowest, int(lasting) - lowest
    if least < 0 or most > top:
        held = np.clip(samples.astype(np.int32) - lowest, 0, top).astype(narrow)
        return held, max(0, min(least, top)), min(top, max(most, 0))
    if lowest == 0:
        return samples.astype(narrow, copy=False), least, most
    # A codestream of 8 bits may lie in a file that says 12, whose positions 8 bits do not hold.
    size = max(samples.dtype.itemsize, narrow.itemsize)
    whole = np.dtype(f"u{size}")
    wide = samples.astype(f"i{size}", copy=False).view(whole)
    return np.add(wide, whole.type(-lowest)).astype(narrow, copy=False), least, most


def _looked_up(table: npt.NDArray[np.uint16], positions: Pixels, first: int) -> npt.NDArray[np.uint16]:
    """Return the table's entry for each position, the first of which is for `first`; beyond, that at the end."""
    every = np.arange(2 ** (8 * positions.dtype.itemsize)) - first
    return np.asarray(cv2.LUT(positions, table.take(every, mode="clip")), np.uint16)


def _parted(
    positions: Pixels, ends: list[int], lowest: int, record: Dataset, notes: Notes, *, signed: bool
) -> tuple[npt.NDArray[np.bool_] | None, int, int]:
    """Return which pixels are padding, None where there is none, and the least and greatest position of the others."""
    stated = padding(record, signed=signed)
    if stated is not None and (marked := stated.marks(positions, lowest)).any():
        film = positions[~marked]
        if film.size and film.min() < film.max():
            return marked, int(film.min()), int(film.max())
        notes.append(DisplayNote.PADDING_IGNORED)
    return None, ends[0], ends[1]


def _modality(record: Dataset, own: Values, notes: Notes) -> Line | Lut:
    if "ModalityLUTSequence" in record:
        table = _table(record, "ModalityLUTSequence", own, notes)
        if table is not None:
            return table
        notes.append(DisplayNote.MODALITY_LUT_IGNORED)
    slopes, intercepts = decimals(record, "RescaleSlope")[:1], decimals(record, "RescaleIntercept")[:1]
    if has_comma(record, "RescaleSlope", "RescaleIntercept"):
        notes.append(DisplayNote.DECIMAL_COMMA)
    for slope, intercept in zip(slopes, intercepts, strict=False):
        if slope and intercept is not None:
            return Line(slope, intercept)
    if "RescaleSlope" in record or "RescaleIntercept" in record:
        notes.append(DisplayNote.RESCALE_IGNORED)
    return Line()


def _voi(record: Dataset, values: Values, notes: Notes) -> Lut | DisplayWindow | None:
    """Return what lies between `values`, those that the film has after the modality's step, and light."""
    if "VOILUTSequence" in record:
        table = _table(record, "VOILUTSequence", values, notes)
        if table is not None:
            return table
        notes.append(DisplayNote.VOI_LUT_IGNORED)
    stated = windows(record, notes)
    for window in stated:
        if _tells_apart(window, values):
            return window
    if stated:
        notes.append(DisplayNote.WINDOW_OF_ONE_VALUE)
    return None


def _table(record: Dataset, keyword: str, inputs: Values, notes: Notes) -> Lut | None:
    """Return the first table of a sequence that leaves the film more than one value."""
    from pydicom import Dataset as Item

    try:
        items = [item for item in record[keyword].value or () if isinstance(item, Item)]
    except Exception:  # noqa: BLE001  pydicom raises many kinds on a damaged sequence
        return None
    for item in items:
        found = lut(item, negative_inputs=bool(inputs.min() < 0))
        if found is not None and _tells_apart(found, inputs):
            if not found.as_declared:
                notes.append(DisplayNote.LUT_LENGTH)
            return found
    return None


def _tells_apart(step: Lut | DisplayWindow, values: Values) -> bool:
    given = step.of(values)
    return bool(given.min() < given.max())


def _brightness(stored: Values, modality: Line | Lut, voi: Lut | DisplayWindow | None, *, inverted: bool) -> Values:
    if voi is None and isinstance(modality, Line):
        light = stored if modality.slope > 0 else -stored
    else:
        light = modality.of(stored) if voi is None else voi.of(modality.of(stored))
    return -light if inverted else light


def _levels(light: Values, black: float | None) -> npt.NDArray[np.uint16]:
    """Return the level of each of `light`, the brightness of the film's values in their order; 0 is the least.

    black: the brightness of padding; None where there is none. Where the film's values are even steps, levels are
    these.
    """
    low, high = float(light.min()), float(light.max())
    dark = low if black is None or high - low < _LEAST_SHARE * (high - black) else min(low, black)
    if not dark < high:
        return np.zeros(light.shape, np.uint16)
    gaps = np.diff(np.unique(light))
    step = (high - low) / gaps.size
    if gaps.max() - gaps.min() < 1e-6 * gaps.min() and (high - dark) / step < 2**16 - 1:
        return np.asarray(np.rint((light - low) / step) + np.rint((low - dark) / step), np.uint16)
    # Rounded first to what float64 holds of it, so that a half stays a half in the twin too.
    offsets = np.rint(np.round(2 * _MIDDLE * ((light - dark) / (high - dark) - 0.5), 6))
    return np.asarray(_MIDDLE + offsets, np.uint16)
