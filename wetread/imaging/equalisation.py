"""Histogram equalisation and CLAHE, by OpenCV.

For a picture of M x N pixels, let h(i) be the number of pixels of level i. With

    cdf(v)  = h(0) + h(1) + ... + h(v)
    cdf_min = the smallest cdf(v) that is not zero

plain histogram equalisation maps level v to

    round( (cdf(v) - cdf_min) / (M N - cdf_min) * 255 )

which is what `cv2.equalizeHist` computes. It stretches the whole film by one map, so bright collimation
borders and dark lungs pay for each other. Contrast-limited adaptive equalisation (CLAHE) makes a map for
each tile of a grid, from a histogram cut at the clip limit with the cut counts spread over all levels, and
blends the maps of neighbouring tiles bilinearly. Its map of one tile is

    round( 255 cdf(v) / (M N) )

without cdf_min: with one tile and no clipping, `cv2.createCLAHE` still differs from `cv2.equalizeHist`.

Sources: K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994; the
formulas as in R. Gonzalez and R. Woods, Digital Image Processing. The tests hold OpenCV to both formulas.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from wetread.imaging.opencv import cv2

GreyLevels = npt.NDArray[np.uint8]
"""(height, width) grey levels, 0 black to 255 white."""


def equalise(levels: GreyLevels, clip_limit: float, tile_grid: tuple[int, int]) -> GreyLevels:
    """Return CLAHE of `levels`.

    clip_limit: a level's greatest count in a tile, as a multiple of the mean count of a level; 0 clips nothing.
    tile_grid: tiles in a row and in a column, (columns, rows).
    """
    return cast("GreyLevels", cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=tile_grid).apply(levels))


def brighten(levels: GreyLevels, brightness: int) -> GreyLevels:
    """Return `levels` with `brightness` grey levels added, held within 0 and 255."""
    if brightness == 0:
        return levels
    # OpenCV's stubs know no scalar here and lose the dtype.
    return cv2.add(levels, float(brightness))  # type: ignore[call-overload,no-any-return]
