"""The map of one film by one model, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import UsageError
from wetread.explain.additive import AdditiveMaps
from wetread.explain.occlusion import occlusion_map
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2
from wetread.models.artefact import Artefact
from wetread.models.loading import load_classifier

ADDITIVE, OCCLUSION = "additive", "occlusion"
METHODS = (ADDITIVE, OCCLUSION)

FOR, AGAINST = (255, 140, 40), (60, 140, 255)
"""Red, green and blue of what speaks for the label, and against it."""

DRAWN_SIDE = 512
"""Pixels of the longer side of a drawn map."""


@dataclass(frozen=True, slots=True)
class FilmMap:
    """What in a film speaks for a label. values: (h, w), in logits; with `bias`, if any, they add up to `logit`."""

    method: str
    label: str
    logit: float
    bias: float | None
    values: npt.NDArray[np.float64]


def film_map(artefact: Artefact, pixels: Pixels, method: str = ADDITIVE, label: str | None = None) -> FilmMap:
    """Return the map of a film, (height, width) grey, by default of its most probable label.

    Raises UsageError for a label or method that there is not, or a network whose end has no additive map.
    """
    card = artefact.card
    if label is not None and label not in card.labels:
        raise UsageError(f"expected one of the labels {', '.join(card.labels)}, found {label!r}")
    if method not in METHODS:
        raise UsageError(f"expected a method among {', '.join(METHODS)}, found {method!r}")
    image = card.preprocess.apply(pixels)
    if method == ADDITIVE and artefact.onnx:
        raise UsageError(f"--method {ADDITIVE}: expected layers of our own, found another's ONNX file; use {OCCLUSION}")
    if method == ADDITIVE:
        maps, biases, logits = AdditiveMaps(card.architecture, artefact.weights).maps(image)
        chosen = int(logits.argmax()) if label is None else card.labels.index(label)
        return FilmMap(method, card.labels[chosen], float(logits[chosen]), float(biases[chosen]), maps[:, :, chosen])
    classifier = load_classifier(artefact, "onnx" if artefact.onnx else "numpy")
    logits = classifier.read(image[None]).logits[0]
    chosen = int(logits.argmax()) if label is None else card.labels.index(label)
    values = occlusion_map(classifier, image, chosen)
    return FilmMap(method, card.labels[chosen], float(logits[chosen]), None, values)


def drawn_map(found: FilmMap, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return the map as colours with their opacity, (h, w, 4) red green blue alpha, in a film's proportions.

    The largest value of either sign is opaque, and none is clear.
    """
    factor = DRAWN_SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    values = cv2.resize(found.values.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    most = float(np.abs(values).max()) or 1.0
    drawn = np.zeros((*values.shape, 4), np.uint8)
    drawn[values > 0, :3], drawn[values < 0, :3] = FOR, AGAINST
    drawn[..., 3] = np.rint(np.abs(values) / most * 255)
    return drawn


def overlay_png(found: FilmMap, height: int, width: int) -> bytes:
    """Return the drawn map as a PNG that is laid over the film."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(drawn_map(found, height, width), cv2.COLOR_RGBA2BGRA))[1])


def beside_png(found: FilmMap, levels: GreyLevels, opacity: float = 0.6) -> bytes:
    """Return a PNG of the film's grey levels, (h, w), and beside it the same under the map."""
    height, width = levels.shape
    drawn = drawn_map(found, height, width)
    small = cv2.resize(levels, drawn.shape[1::-1], interpolation=cv2.INTER_AREA)
    grey = np.repeat(small[..., None], 3, axis=2)
    share = drawn[..., 3:] / 255 * opacity
    mixed = np.rint(grey * (1 - share) + drawn[..., :3] * share).astype(np.uint8)
    return bytes(cv2.imencode(".png", cv2.cvtColor(np.hstack([grey, mixed]), cv2.COLOR_RGB2BGR))[1])
