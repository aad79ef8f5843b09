"""The loss: softmax and cross-entropy as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.errors import DataError
from wetread.engine.array import Array, Labels


class SoftmaxCrossEntropy:
    """L = 1/n Σ_n w_n (log Σ_k exp Z_nk - Σ_k Y_nk Z_nk), and dL/dZ = w_n (S - Y) / n with S = softmax(Z).

    Z (n, classes) are logits; labels (n,) are class numbers and Y their one-hot rows. w_n is the weight of the
    image's class (1 without class weights); as in Keras the sum is divided by n, not by Σ w. Label smoothing ε
    takes Y (1 - ε) + ε / classes for Y. Taken as one the two are stable: log Σ exp is computed from Z - max Z,
    nothing is divided by a probability, and the gradient needs no more than S.

    Sources: Bishop, Pattern recognition and machine learning, 2006, 4.3.4; Szegedy et al., Rethinking the
    Inception architecture, CVPR 2016 (label smoothing).
    """

    def __init__(self, class_weights: Sequence[float] | None = None, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise DataError(f"expected a label smoothing from 0 to below 1, found {label_smoothing}")
        self.class_weights = None if class_weights is None else np.asarray(class_weights, float)
        self.label_smoothing = label_smoothing

    def __call__(self, Z: Array, labels: Labels) -> tuple[float, Array]:
        """Return the loss of logits Z (n, classes) and its gradient dZ, of Z's shape.

        Raises DataError when labels are not n class numbers.
        """
        n, classes = Z.shape
        if labels.shape != (n,) or (n and not 0 <= labels.min() <= labels.max() < classes):
            raise DataError(f"expected {n} labels from 0 to {classes - 1}, found {labels.shape} of them: {labels}")
        each = np.arange(n)
        shifted = Z - Z.max(axis=1, keepdims=True)
        S = np.exp(shifted)
        total = S.sum(axis=1, keepdims=True)
        S /= total
        log_S = shifted - np.log(total)
        smoothing = self.label_smoothing
        losses = -(1 - smoothing) * log_S[each, labels]
        dZ = S
        dZ[each, labels] -= 1 - smoothing
        if smoothing:
            losses -= smoothing / classes * log_S.sum(axis=1)
            dZ -= smoothing / classes
        if self.class_weights is not None:
            weights = self.class_weights.astype(Z.dtype)[labels]
            losses *= weights
            dZ *= weights[:, None]
        dZ /= n
        return float(losses.mean()), dZ
