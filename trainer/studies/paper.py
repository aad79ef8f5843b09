"""The published study's own figures, to compare with ours.

They are what it printed, not what we hold to be true. Its films: 1,823 images of three kinds (covid, virus,
normal), CLAHE, then brightness, then a common size; 50 epochs on Keras. Its digits: 0 to 4 of MNIST.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FirstAndLast:
    """Accuracy and loss at the first and at the last epoch."""

    first_accuracy: float
    last_accuracy: float
    first_loss: float
    last_loss: float


XRAY: Mapping[str, FirstAndLast] = MappingProxyType(
    {
        "rmsprop": FirstAndLast(0.9983, 1.0, 0.0383, 2.3842e-7),
        "sgd": FirstAndLast(0.9286, 1.0, 0.6425, 0.6931),
        "adadelta": FirstAndLast(0.9939, 1.0, 0.0453, 1.0417e-6),
        "adagrad": FirstAndLast(0.9817, 1.0, 0.9830, 2.3842e-7),
        "adam": FirstAndLast(0.9904, 1.0, 0.0852, 2.3842e-7),
    }
)
"""Optimizer -> its figures on chest films."""

WHY_XRAY_IS_NO_TARGET = (
    f"SGD ends at a loss of {XRAY['sgd'].last_loss}, which is ln 2 = {math.log(2):.4f}, what it costs to give every "
    "true label a probability of one half. That does not go with an accuracy of 1, and is more than at the start.",
    "A loss of 2.3842e-7 is 2^-22, a few units of float32's rounding: every film's label has a probability of 1. "
    "Networks reach that on films that they learn from, or on other films of the same patients.",
    "Where each label's films come from a collection of their own, as in data of this kind, a network can tell the "
    "collections apart instead of the diseases, and be right about every film.",
)
"""Sentences: why the table above is the mark of leakage or of a fault in the labels, and not to be aimed at."""

MNIST_EPOCHS = 10
MNIST: Mapping[str, float] = MappingProxyType(
    {"dnn": 0.9628, "cnn": 0.8644, "dnn in PyTorch": 0.9624, "cnn in TensorFlow": 0.9528}
)
"""Network, and framework where it is not the study's own code -> accuracy on digits 0 to 4, 10 epochs."""
