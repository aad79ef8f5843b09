"""The exact map of a network that ends in average pooling and a dense layer.

Such a logit is a sum over places: with F (h, w, c) what the pooling takes, W (c, k) and b (k,) of the dense layer,

    logit_k = b_k + Σ_yx Σ_c F[y, x, c] W[c, k] / (h w)

so that the map of label k, Σ_c F[y, x, c] W[c, k] / (h w), and b_k add up to the logit: nothing is estimated. What one
place of the map has seen of the film is larger than the place.

Source: Zhou et al., Learning deep features for discriminative localization, CVPR 2016, without its rescaling.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from schemas.architecture import Architecture
from schemas.errors import UsageError
from wetread.engine.network import Network

FloatArray = npt.NDArray[np.float32]


class AdditiveMaps:
    """Makes the maps of one network. Raises UsageError where it has another end."""

    def __init__(self, architecture: Architecture, weights: Mapping[str, FloatArray]) -> None:
        last = [layer for layer in architecture.layers if layer.kind != "dropout"][-2:]
        kinds = [layer.kind for layer in last]
        if kinds != ["global_average_pool2d", "dense"] or any(layer.inputs for layer in last):
            raise UsageError(
                "expected a network that ends in global average pooling and a dense layer, found one that ends in "
                f"{' and '.join(kinds)}: its map does not add up to the logit; ask for --method occlusion"
            )
        self._network = Network(architecture, weights)
        pooling = next(place for place, layer in enumerate(architecture.layers) if layer is last[0])
        self._taken = architecture.layers[pooling - 1].name
        self._logits = last[1].name
        self._kernel = np.asarray(weights[f"{self._logits}/kernel"], np.float64)
        bias = weights.get(f"{self._logits}/bias")
        self._bias = np.zeros(self._kernel.shape[1]) if bias is None else np.asarray(bias, np.float64)

    def maps(self, image: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], FloatArray]:
        """Return the maps (h, w, k), biases (k,) and logits (k,) of one preprocessed film, (height, width, 1)."""
        outputs = self._network.outputs(image[None])
        features = np.asarray(outputs[self._taken][0], np.float64)
        places = features.shape[0] * features.shape[1]
        return features @ self._kernel / places, self._bias, outputs[self._logits][0]
