"""What a picture's header says, read before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["png", "jpeg", "tiff", "dicom"]
Colour = Literal["grey", "rgb", "palette", "cmyk"]


@dataclass(frozen=True, slots=True)
class Enough:
    """Pixels of a film's longer side that are needed, by what lets a file be decoded at less than its size.

    jpeg: by blocks, whose high frequencies are left out. wavelets: by JPEG 2000's levels. None: all pixels.
    """

    jpeg: int | None = None
    wavelets: int | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """One picture as its file declares it; nothing of it is trusted further than a limit check.

    width, height: pixels, as stored (before any rotation).
    bits: of one sample.
    channels: samples a pixel as decoded, alpha included; a palette counts as 3.
    orientation: EXIF orientation, 1 (upright) to 8; 1 where the file says nothing.
    frames: pictures in the file.
    """

    format: Format
    width: int
    height: int
    bits: int
    colour: Colour
    channels: int
    orientation: int = 1
    frames: int = 1
