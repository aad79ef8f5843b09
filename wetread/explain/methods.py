"""The methods by which a map is made, each of one network."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from schemas.errors import UsageError
from wetread.engine.network import Network
from wetread.explain.additive import AdditiveMaps
from wetread.explain.integrated import integrated_gradients
from wetread.explain.occlusion import occlusion_map
from wetread.models.artefact import Artefact
from wetread.models.classifier import Classifier
from wetread.models.loading import load_classifier

ADDITIVE, OCCLUSION, INTEGRATED = "additive", "occlusion", "integrated"
METHODS = (ADDITIVE, OCCLUSION, INTEGRATED)

FloatArray = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]


class MapMaker:
    """Makes maps of one model's network by one method.

    Raises UsageError for a method that there is not, or the additive one of a network of another end.
    """

    def __init__(self, artefact: Artefact, method: str) -> None:
        if method not in METHODS:
            raise UsageError(f"expected a method among {', '.join(METHODS)}, found {method!r}")
        if artefact.onnx and method != OCCLUSION:
            raise UsageError(
                f"--method {method}: expected layers of our own, found another's ONNX file; use {OCCLUSION}"
            )
        self.method = method
        self._artefact = artefact
        self._additive = AdditiveMaps(artefact.card.architecture, artefact.weights) if method == ADDITIVE else None

    def logits(self, image: FloatArray) -> FloatArray:
        """Return the logits (k,) of one preprocessed film, (height, width, 1)."""
        if self._additive is not None:
            return self._additive.maps(image)[2]
        return np.asarray(self._classifier.read(image[None]).logits[0])

    def values(self, image: FloatArray, label: int) -> tuple[Values, float | None]:
        """Return the map (h, w) of a label, and what adds up with it to the logit; None where nothing does."""
        if self._additive is not None:
            maps, biases, _ = self._additive.maps(image)
            return maps[:, :, label], float(biases[label])
        if self.method == OCCLUSION:
            return occlusion_map(self._classifier, image, label), None
        return integrated_gradients(self._network, image, label)

    @cached_property
    def _classifier(self) -> Classifier:
        return load_classifier(self._artefact, "onnx" if self._artefact.onnx else "numpy")

    @cached_property
    def _network(self) -> Network:
        return Network(self._artefact.card.architecture, self._artefact.weights)


def methods_of(artefact: Artefact) -> list[str]:
    """Return the methods that there are for a model's network, the first the one to take by default."""
    found = []
    for method in METHODS:
        try:
            MapMaker(artefact, method)
        except UsageError:
            continue
        found.append(method)
    return found
