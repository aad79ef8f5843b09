"""The digits of the paper's MNIST study: 0 to 4, 2,000 training images of each, 14 x 14 pixels.

The training images are the first 2,000 of each digit in MNIST's order, so that everyone takes the same
ones; which the paper took it does not state. The test images are all of MNIST's test set that show one of
these digits, 5,139. A pixel of 14 x 14 is the mean of the four of 28 x 28 that it covers.

Source of the data: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
recognition".
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError
from trainer.data.pixels import Films
from trainer.training.lesson import LabelledFilms
from wetread.imaging.resize import resize
from wetread.models.digest import sha256_hex
from wetread.path_text import path_text

DIGITS = 5
TRAINING_IMAGES = 2000
"""Of each digit."""
SIDE = 14
"""Pixels."""
_NATIVE_SIDE = 28
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class Digits:
    """Images (n, 14, 14) uint8 with their digits; digest: SHA-256 of all of them."""

    training: LabelledFilms
    test: LabelledFilms

    @property
    def digest(self) -> str:
        """Tells these images and labels from any others."""
        arrays = (self.training.films, self.training.targets, self.test.films, self.test.targets)
        return sha256_hex(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))


def find_mnist(path: bytes | None = None) -> bytes:
    """Return where MNIST is: `path`, else the data beside the repository, else Keras's own cache.

    Raises DataError naming the places where it was looked for.
    """
    root = str(Path(__file__).absolute().parents[2])
    cache = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    places = [
        os.fsencode(os.path.join(os.path.dirname(root), "shared", "data", "mnist", "mnist.npz")),
        os.fsencode(os.path.join(cache, "datasets", "mnist.npz")),
    ]
    for place in places if path is None else [path]:
        if os.path.isfile(place):
            return place
    if path is not None:
        raise DataError(f"{path_text(path)}: expected MNIST as an .npz file, found no file there")
    raise DataError(
        f"expected MNIST at {' or '.join(map(path_text, places))}, found it at neither: name the file with --data, or "
        'let Keras fetch it: python -c "import keras; keras.datasets.mnist.load_data()"'
    )


def load_digits(path: bytes) -> Digits:
    """Return the study's digits out of an .npz file as `keras.datasets.mnist` keeps it.

    Raises DataError naming what is missing: nothing in the file is ever unpickled.
    """
    name = path_text(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if missing := [wanted for wanted in _ARRAYS if wanted not in arrays]:
                raise DataError(f"{name}: expected the arrays {', '.join(_ARRAYS)}; missing: {', '.join(missing)}")
            x_train, y_train, x_test, y_test = (arrays[wanted] for wanted in _ARRAYS)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise DataError(f"{name}: expected an .npz file of plain arrays, found a fault: {error}") from error
    training = _chosen(name, x_train, y_train, TRAINING_IMAGES)
    test = _chosen(name, x_test, y_test, None)
    return Digits(training, test)


def _chosen(name: str, images: npt.NDArray[np.uint8], digits: npt.NDArray[np.uint8], most: int | None) -> LabelledFilms:
    """Return the images of the study's digits in the file's order: of each the first `most`, or all."""
    if images.dtype != np.uint8 or images.shape != (len(digits), _NATIVE_SIDE, _NATIVE_SIDE) or digits.ndim != 1:
        raise DataError(
            f"{name}: expected images (n, {_NATIVE_SIDE}, {_NATIVE_SIDE}) uint8 with n labels, found {images.shape} "
            f"{images.dtype} with {digits.shape}"
        )
    places = [np.flatnonzero(digits == digit)[:most] for digit in range(DIGITS)]
    for digit, found in enumerate(places):
        if len(found) < (most or 1):
            raise DataError(f"{name}: expected {most or 1} or more images of digit {digit}, found {len(found)}")
    chosen = np.sort(np.concatenate(places))
    return LabelledFilms(_reduced(images[chosen]), digits[chosen].astype(np.int64))


def _reduced(images: npt.NDArray[np.uint8]) -> Films:
    return np.stack([resize(image, SIDE, SIDE) for image in images]).astype(np.uint8)
