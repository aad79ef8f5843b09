"""Tells whether two films are one exposure: aligns them, and compares their fine detail.

1. The crops that looked most alike are cut out. The peak of their cross-correlation gives the shift, and
   its sign whether one is inverted.
2. The other is brought onto the one by an affine map that maximises their correlation (ECC: Evangelidis and
   Psarakis 2008, IEEE TPAMI 30(10)), first at 64 pixels, then at 128. It lays any chest on any chest.
3. Likeness is the correlation, where both films are, of what is between 0.7 and 1.5 pixels of 128: the
   edges of ribs and vessels. It stays in a copy, and is gone between two exposures: no two chests, and no
   two breaths of one, agree so far. What is finer is the compression's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.audit.spectra import Fit
from trainer.audit.squares import Picture, centre, texture
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

_COARSE, _FINE = 64, 128
_FINEST, _NOISE = 1.5, 0.7
"""Pixels of the fine side: what is compared lies between the two."""
_STEPS = ((_COARSE, 15, 5), (_FINE, 20, 3))
"""Side, iterations at most, and pixels of the smoothing, of each step of the alignment.

Without the second, one cropped copy of a real film in ten is not laid well enough to be found.
"""
_LEAST_AGREEMENT = 0.7
"""Correlation after a step below which the next is spared: it ends two thirds of the pairs early."""
_LEAST_GAIN = 1e-4
_LEAST_OVERLAP = 0.4
"""Share of the one film that the other must cover: less can agree by chance."""
_EDGE = np.ones((9, 9), np.uint8)
"""What is this near to the end of a film has no full surroundings, and is left out."""


def likeness(one: GreyLevels, other: GreyLevels, fit: Fit) -> float:
    """Return how alike the fine parts of two squares are once laid on each other: 1 the same, about 0 unrelated.

    0 where they cannot be laid on each other.
    """
    fixed, moved = centre(one, fit.crop, _FINE), centre(other, fit.other_crop, _FINE)
    if fit.mirrored:
        moved = np.ascontiguousarray(moved[:, ::-1])
    warp, sign = _shift(fixed, moved)
    for side, iterations, smoothing in _STEPS:
        try:
            agreement, better = cv2.findTransformECC(
                _textured(fixed, side),
                sign * _textured(moved, side),
                _rescaled(warp, side / _COARSE),
                cv2.MOTION_AFFINE,
                (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, _LEAST_GAIN),
                np.ones((side, side), np.uint8),
                smoothing,
            )
        except cv2.error:  # it drifts apart: nothing of the one looks like anything of the other
            return 0.0
        if agreement < _LEAST_AGREEMENT:
            return 0.0
        warp = _rescaled(better, _COARSE / side)
    return _correlation(fixed, moved, _rescaled(warp, _FINE / _COARSE), sign)


def _shift(fixed: Picture, moved: Picture) -> tuple[Picture, np.float32]:
    """Return the shift of `moved` against `fixed`, as a map (2, 3) at the coarse side, and -1 where it is inverted."""
    window = np.outer(np.hanning(_COARSE), np.hanning(_COARSE)).astype(np.float32)
    one, other = (cv2.dft(_textured(picture, _COARSE) * window) for picture in (fixed, moved))
    agreement = cv2.idft(cv2.mulSpectrums(one, other, 0, conjB=True))
    sign = np.float32(1 if agreement.max() >= -agreement.min() else -1)
    peak = np.unravel_index(np.argmax(sign * agreement), agreement.shape)
    down, right = ((int(place) + _COARSE // 2) % _COARSE - _COARSE // 2 for place in peak)
    return np.array([[1, 0, -right], [0, 1, -down]], np.float32), sign


def _rescaled(warp: npt.ArrayLike, factor: float) -> Picture:
    """Return the map for pictures `factor` times as large."""
    return np.multiply(warp, [1, 1, factor]).astype(np.float32)


def _textured(picture: Picture, side: int) -> Picture:
    reduced = picture if side == _FINE else cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return texture(np.asarray(reduced, np.float32), side / 24)


def _edges(picture: Picture) -> Picture:
    return texture(np.asarray(cv2.GaussianBlur(picture, (0, 0), _NOISE), np.float32), _FINEST)


def _correlation(fixed: Picture, moved: Picture, warp: Picture, sign: np.float32) -> float:
    """Return the correlation of the fine parts where both pictures are."""
    size, onto = (_FINE, _FINE), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(_edges(moved), warp, size, flags=onto)
    covered = cv2.warpAffine(np.ones(size, np.uint8), warp, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    both = cv2.erode(covered, _EDGE, borderValue=0) > 0
    if both.mean() < _LEAST_OVERLAP:
        return 0.0
    agreement = np.corrcoef(_edges(fixed)[both], sign * laid[both])[0, 1]
    return float(np.nan_to_num(agreement))
