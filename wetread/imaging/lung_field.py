"""Finds a film's lung field, cleans it, and brings its grey levels to one mean and deviation.

    original -> the segmenter's size -> a probability a pixel -> above 1/2: the mask, or one that came with the film
      -> at most two parts, one cut in two where both lungs hang together, stray ones dropped
      -> each part's convex hull, so that a consolidation that the mask leaves out at its edge is inside
      -> levels inside at one mean and deviation, everything else flat at that mean

What lies outside the lungs tells hospitals, views and beds apart, and so do a film's brightness and contrast. A film
without a plausible field is set aside and not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ArtefactError, Rejected
from schemas.reasons import Reason
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

Mask = npt.NDArray[np.uint8]
"""(height, width), 1 inside."""

Finder = Callable[[GreyLevels], npt.NDArray[np.float32]]
"""A segmenter: (side, side) grey levels -> the probability of lung a pixel, (side, side)."""

MEAN, DEVIATION = 127, 50
"""Of the grey levels inside; outside lies the mean."""
LEAST_PART = 0.1
"""A part of the mask with less than this share of the largest is stray."""
LEAST_AREA, MOST_AREA = 0.06, 0.70
"""Shares of the film that a plausible field can have. Of 1,082 masks of ../shared/data/lungs 99% have 0.08 to 0.44."""
LEAST_SOLID, LEAST_HELD = 0.65, 0.75
"""The least share of the hulls that the mask covers, and of the mask that the hulls hold: lungs are whole things, no
specks. The same masks have at least 0.67 and 1.00; what the segmenter found on 477 films, 0.74 and 0.79."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIDES = range(32, 513)


@dataclass(frozen=True, slots=True)
class LungField:
    """The record of how lungs are found; part of a model's preprocessing, and so of its digest.

    side: pixels of the square that the segmenter reads.
    network_sha256: of the file with the segmenter's layers and weights.
    finder: that segmenter, once it is loaded; no part of the record.

    Raises ArtefactError when a value is out of its range.
    """

    side: int
    network_sha256: str
    finder: Finder | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        whole = isinstance(self.side, int) and not isinstance(self.side, bool)
        if not whole or self.side not in _SIDES:
            raise ArtefactError(f"lung field: side: expected {_SIDES[0]} to {_SIDES[-1]}, found {self.side!r}")
        if not isinstance(self.network_sha256, str) or not _SHA256.fullmatch(self.network_sha256):
            raise ArtefactError(f"lung field: network_sha256: expected a SHA-256, found {self.network_sha256!r}")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"side": self.side, "network_sha256": self.network_sha256}

    @classmethod
    def from_json(cls, body: Any) -> LungField:
        """Return the record in `body`; raise ArtefactError unless it has exactly this record's keys, well formed."""
        if not isinstance(body, Mapping) or set(body) != {"side", "network_sha256"}:
            found = sorted(map(str, body)) if isinstance(body, Mapping) else type(body).__name__
            raise ArtefactError(f"lung field: expected the keys network_sha256 and side, found {found}")
        return cls(body["side"], body["network_sha256"])

    @property
    def settings(self) -> str:
        """What a picture of the steps says of it."""
        return f"{DEVIATION} grey levels of deviation inside, flat outside"

    def picture(self, original: GreyLevels, mask: GreyLevels | None = None) -> GreyLevels:
        """Return the lung field of a film of any size, as large as the film.

        mask: that came with the film, of any size, above 127 inside; None to have it found. Raises Rejected
        NO_LUNG_FIELD where there is no plausible one, ArtefactError where no segmenter is loaded.
        """
        height, width = original.shape
        inside = self.inside(original, mask)
        large = cv2.resize(inside * 255, (width, height), interpolation=cv2.INTER_LINEAR) > 127
        levels = original[large].astype(np.float32)
        slope = DEVIATION / max(float(levels.std()), 1.0)
        table = np.clip(np.rint(MEAN + slope * (np.arange(256) - float(levels.mean()))), 0, 255).astype(np.uint8)
        return np.where(large, table[original], np.uint8(MEAN))

    def inside(self, original: GreyLevels, mask: GreyLevels | None = None) -> Mask:
        """Return where the lungs are, (side, side); arguments and faults as `picture` has them."""
        square = (self.side, self.side)
        if mask is not None:
            raw = cv2.resize(mask, square, interpolation=cv2.INTER_AREA) > 127
        elif self.finder is None:
            raise ArtefactError("lung field: expected the segmenter of the model's own file, found none loaded")
        else:
            raw = self.finder(np.asarray(cv2.resize(original, square, interpolation=cv2.INTER_AREA))) > 0.5
        filled = fill(raw.astype(np.uint8))
        share, both = float(filled.mean()), int((raw & (filled > 0)).sum())
        solid, held = both / max(int(filled.sum()), 1), both / max(int(raw.sum()), 1)
        if not LEAST_AREA <= share <= MOST_AREA or solid < LEAST_SOLID or held < LEAST_HELD:
            raise Rejected(
                Reason.NO_LUNG_FIELD,
                f"no lung field was found: {share:.0%} of the picture look like lungs, films have {LEAST_AREA:.0%} to "
                f"{MOST_AREA:.0%}; {solid:.0%} of that are whole (at least {LEAST_SOLID:.0%})",
            )
        return filled


def fill(mask: Mask) -> Mask:
    """Return the convex hulls of the mask's one or two parts; empty where the mask is."""
    filled = np.zeros_like(mask)
    for part in parts(mask):
        outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.fillPoly(filled, [cv2.convexHull(np.vstack(outlines))], 1)
    return filled


def parts(mask: Mask) -> list[Mask]:
    """Return the two largest parts of a mask, or one, without stray ones; one that spans the middle is cut in two."""
    found = _largest(mask)
    if len(found) == 1 and (cut := _cut(found[0])) is not None:
        halves = _largest(cut)
        return halves if len(halves) == 2 else found
    return found


def _largest(mask: Mask) -> list[Mask]:
    count, marks, measures, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = sorted(((int(measures[mark, cv2.CC_STAT_AREA]), mark) for mark in range(1, count)), reverse=True)[:2]
    return [(marks == mark).astype(np.uint8) for area, mark in areas if area >= LEAST_PART * areas[0][0]]


def _cut(part: Mask) -> Mask | None:
    """Return a part over more than half of the picture's width, cut where it is thinnest near its middle."""
    columns = np.flatnonzero(part.any(axis=0))
    left, width = int(columns[0]), len(columns)
    if width < part.shape[1] // 2:
        return None
    middle = part.sum(axis=0)[left + width // 3 : left + 2 * width // 3]
    thinnest = left + width // 3 + int(middle.argmin())
    cut = part.copy()
    cut[:, thinnest] = 0
    return cut
