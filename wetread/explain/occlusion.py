"""A map by covering: how much a label's logit falls when a square of the film is covered by the film's mean.

It asks nothing of the network's end. Source: Zeiler and Fergus, Visualizing and understanding convolutional networks,
ECCV 2014.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.models.classifier import Classifier, FloatArray

SQUARES_A_SIDE = 8
"""A square covers this fraction of each side; squares overlap by half."""


def occlusion_map(classifier: Classifier, image: FloatArray, label: int) -> npt.NDArray[np.float64]:
    """Return how much the logit of `label` falls where the film is covered, (2 * SQUARES_A_SIDE, the same).

    image: preprocessed, (height, width, 1). A cell has the mean of the squares that cover it.
    """
    height, width, _ = image.shape
    cells = 2 * SQUARES_A_SIDE
    rows, columns = (np.linspace(0, side, cells + 1).astype(int) for side in (height, width))
    places = [(row, column) for row in range(cells - 1) for column in range(cells - 1)]
    covered = np.repeat(image[None], len(places) + 1, axis=0)
    for number, (row, column) in enumerate(places, 1):
        covered[number, rows[row] : rows[row + 2], columns[column] : columns[column + 2]] = image.mean()
    logits = classifier.read(covered).logits[:, label].astype(np.float64)
    total, count = np.zeros((cells, cells)), np.zeros((cells, cells))
    for (row, column), logit in zip(places, logits[1:], strict=True):
        total[row : row + 2, column : column + 2] += logits[0] - logit
        count[row : row + 2, column : column + 2] += 1
    return total / count
