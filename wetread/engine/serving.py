"""A trained network as a worker runs it: forward only, as fast as it can be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from schemas.architecture import Architecture
from schemas.errors import ArtefactError, DataError
from wetread.engine.array import Array
from wetread.engine.folding import fold
from wetread.engine.graph import INPUT
from wetread.engine.network import Network
from wetread.engine.plan.fusion import fuse
from wetread.engine.plan.plan import InferencePlan, images_at_once


class ServingNetwork:
    """The network of an artefact, ready to read images; float32.

    Batch normalisation is folded into the layer before it, dropout is gone, and each convolution runs with the
    ReLU and the pooling after it. A batch is read in parts that suit the cache; the memory for a part is laid
    out once (`wetread.engine.plan`) and used again for the next, so one instance serves one thread.

    Raises ArtefactError when the weights are not exactly the architecture's.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, Array]) -> None:
        Network(architecture, weights)  # for its checks: folding would pass over a weight that is not there
        folded, weights = fold(architecture, weights)
        network = Network(folded, weights)
        self.input_shape = architecture.input_shape
        self._weights = network.weights()
        self._shapes = {INPUT: self.input_shape} | {node.name: node.layer.output_shape for node in network.nodes}
        self._stages = fuse(folded, self._shapes)
        self._part = images_at_once(self._stages, self._shapes)
        self._plans: dict[int, InferencePlan] = {}
        dense = [stage for stage in self._stages if stage.layer.kind == "dense"]
        self._features = dense[-1].sources[0] if dense else None

    def logits(self, X: Array) -> Array:
        """Return the logits (n, classes) of images X (n, h, w, c).

        Raises DataError when the images have another shape than the network's input.
        """
        (logits,) = self._read(X, (self._stages[-1].name,))
        return logits

    def readout(self, X: Array) -> tuple[Array, Array]:
        """Return the logits (n, classes) and the features (n, f): what the last dense layer reads.

        Raises ArtefactError when the network has no dense layer, DataError as `logits` does.
        """
        if self._features is None:
            raise ArtefactError("expected a network with a dense layer, found none: it has no features to read")
        logits, features = self._read(X, (self._stages[-1].name, self._features))
        return logits, features

    def _read(self, X: Array, names: tuple[str, ...]) -> list[Array]:
        """Return these outputs for all images, part by part."""
        if X.shape[1:] != self.input_shape:
            expected = ", ".join(map(str, self.input_shape))
            raise DataError(f"expected images of shape (n, {expected}), found {X.shape}")
        parts = -(-len(X) // self._part)
        found: list[list[Array]] = [[np.zeros((0, *self._shapes[name]), np.float32)] for name in names]
        for part in np.array_split(np.asarray(X, np.float32), parts) if parts else []:
            plan = self._plan(len(part))
            plan.run(part)
            for outputs, name in zip(found, names, strict=True):
                outputs.append(plan.output(name))
        return [np.concatenate(outputs) for outputs in found]

    def _plan(self, n: int) -> InferencePlan:
        """Return the plan for n images; the two of the latest batch are kept, as array_split makes two sizes."""
        plan = self._plans.pop(n, None) or InferencePlan(self._stages, self._shapes, self._weights, n)
        self._plans[n] = plan
        while len(self._plans) > 2:
            self._plans.pop(next(iter(self._plans)))
        return plan
