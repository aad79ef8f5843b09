"""Windows: the values between black and white, and the curve between them.

Source: DICOM PS3.3, C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from schemas.films import DisplayNote
from wetread.imaging.dicom.values import decimals, has_comma, texts

if TYPE_CHECKING:
    from pydicom import Dataset

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
_FUNCTIONS: tuple[Function, ...] = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True, slots=True)
class DisplayWindow:
    """centre, width: in units of what the modality transform gives; a LINEAR window is at least 1 wide."""

    centre: float
    width: float
    function: Function = "LINEAR"

    def of(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return how bright `values` are, from 0, black, to 1, white."""
        if self.function == "SIGMOID":
            exponent = (-4 * (values - self.centre) / self.width).clip(-700, 700)
            return np.asarray(1 / (1 + np.exp(exponent)), np.float64)
        if self.function == "LINEAR_EXACT":
            return ((values - self.centre) / self.width + 0.5).clip(0, 1)
        centre, width = self.centre - 0.5, self.width - 1
        if width <= 0:
            return (values > centre).astype(np.float64)
        return ((values - centre) / width + 0.5).clip(0, 1)


def windows(record: Dataset, notes: list[DisplayNote]) -> list[DisplayWindow]:
    """Return the windows that can be used, in their order; add to `notes` what was set right or left out."""
    centres, widths = decimals(record, "WindowCenter"), decimals(record, "WindowWidth")
    if not centres and not widths:
        return []
    function = _function(record, notes)
    least = 1.0 if function == "LINEAR" else 0.0
    usable = [
        DisplayWindow(centre, width, function)
        for centre, width in zip(centres, widths, strict=False)
        if centre is not None and width is not None and width >= least and width > 0
    ]
    if has_comma(record, "WindowCenter", "WindowWidth"):
        notes.append(DisplayNote.DECIMAL_COMMA)
    if not usable:
        notes.append(DisplayNote.WINDOW_IGNORED)
    return usable


def _function(record: Dataset, notes: list[DisplayNote]) -> Function:
    if "VOILUTFunction" not in record:
        return "LINEAR"
    said = " ".join(texts(record, "VOILUTFunction")[:1]).upper()
    for function in _FUNCTIONS:
        if said == function:
            return function
    notes.append(DisplayNote.VOI_FUNCTION_UNKNOWN)
    return "LINEAR"
