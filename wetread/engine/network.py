"""A network: layers joined as its architecture says, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from schemas.architecture import Architecture
from schemas.errors import ArtefactError, DataError
from wetread.engine.array import Array
from wetread.engine.graph import INPUT, Node, build_nodes
from wetread.engine.layers.add import Add
from wetread.engine.layers.concatenate import Concatenate


class Network:
    """The layers of an architecture with their weights; X (n, h, w, c) in, logits (n, classes) out.

    weights: "layer/weight" -> array, as `schemas.architecture` says; new Glorot-uniform ones without.
    seed: of the first weights and of dropout. The same seed gives the same network on every machine.
    Raises ArtefactError when the architecture is wrong or the weights are not exactly its own.

    All parameters lie in one vector, `parameter_vector`, and all gradients in `gradient_vector`; the layers
    hold views of them, so an optimizer takes one step on one array however many layers there are.
    """

    def __init__(
        self,
        architecture: Architecture,
        weights: Mapping[str, Array] | None = None,
        *,
        seed: int = 0,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        architecture.check()
        self.architecture = architecture
        self.dtype = np.dtype(dtype)
        self.nodes = build_nodes(architecture, np.random.default_rng(seed), self.dtype)
        size = sum(weight.size for weight in self.parameters().values())
        self.parameter_vector = np.zeros(size, self.dtype)
        self.gradient_vector = np.zeros(size, self.dtype)
        self._bind()
        if weights is not None:
            self.load(weights)

    def forward(self, X: Array, training: bool = False) -> Array:
        """Return the logits (n, classes) of X (n, h, w, c); raise DataError when X has another shape."""
        return self.outputs(X, training)[self.nodes[-1].name]

    def outputs(self, X: Array, training: bool = False) -> dict[str, Array]:
        """Return every layer's output by name, and X itself under `INPUT`."""
        if X.shape[1:] != self.architecture.input_shape:
            raise DataError(
                f"expected images of shape (n, {', '.join(map(str, self.architecture.input_shape))}), found {X.shape}"
            )
        outputs = {INPUT: np.ascontiguousarray(X, self.dtype)}
        for node in self.nodes:
            taken = [outputs[source] for source in node.sources]
            if isinstance(node.layer, Add | Concatenate):
                outputs[node.name] = node.layer.join(*taken)
            else:
                outputs[node.name] = node.layer.forward(taken[0], training=training)
        return outputs

    def backward(self, dlogits: Array, *, to_input: bool = False) -> Array | None:
        """Set every gradient for dLoss/dlogits of the last forward pass (the chain rule, layer by layer).

        With `to_input` also return dLoss/dX (n, h, w, c); without it the work for it is saved.
        """
        gradients = {self.nodes[-1].name: dlogits}
        learns = {node.name: node.learns for node in self.nodes} | {INPUT: to_input}
        for node in reversed(self.nodes):
            dY = gradients.pop(node.name, None)
            if dY is None:  # no layer takes this one's output
                for gradient in node.layer.gradients.values():
                    gradient.fill(0)
                continue
            node.layer.parameter_gradients(dY)
            if to_input or any(learns[source] for source in node.sources):
                layer = node.layer
                parts = layer.part(dY) if isinstance(layer, Add | Concatenate) else [layer.input_gradient(dY)]
                for source, dX in zip(node.sources, parts, strict=True):
                    gradients[source] = gradients[source] + dX if source in gradients else dX
        return gradients.get(INPUT) if to_input else None

    def parameters(self) -> dict[str, Array]:
        """Return the trained weights, "layer/weight" -> the array itself."""
        return {f"{node.name}/{name}": weight for node in self.nodes for name, weight in node.layer.parameters.items()}

    def gradients(self) -> dict[str, Array]:
        """Return dLoss/dparameter of the last backward pass, "layer/weight" -> the array itself."""
        return {
            f"{node.name}/{name}": gradient for node in self.nodes for name, gradient in node.layer.gradients.items()
        }

    def state(self) -> dict[str, Array]:
        """Return what is learnt without a gradient (moving statistics), "layer/weight" -> the array itself."""
        return {f"{node.name}/{name}": array for node in self.nodes for name, array in node.layer.state.items()}

    def weights(self) -> dict[str, Array]:
        """Return a copy of all weights, as `schemas.architecture` names and shapes them."""
        return {name: array.copy() for name, array in self._all().items()}

    def load(self, weights: Mapping[str, Array]) -> None:
        """Take these weights; raise ArtefactError, and change nothing, unless they are exactly the network's."""
        own = self._all()
        if missing := sorted(own.keys() - weights.keys()):
            raise ArtefactError(f"expected weights {', '.join(sorted(own))}; missing: {', '.join(missing)}")
        if unknown := sorted(weights.keys() - own.keys()):
            raise ArtefactError(
                f"the architecture has no weights {', '.join(unknown)}; it and the weights do not match"
            )
        for name, array in own.items():
            if weights[name].shape != array.shape:
                raise ArtefactError(f"weights {name!r}: expected shape {array.shape}, found {weights[name].shape}")
        for name, array in own.items():
            array[...] = weights[name]

    def summary(self) -> str:
        """Return a table of layers, output shapes and parameters, and their sum."""
        return _table(self.nodes)

    def _all(self) -> dict[str, Array]:
        return self.parameters() | self.state()

    def _bind(self) -> None:
        """Move every layer's parameters and gradients into the two vectors."""
        at = 0
        for node in self.nodes:
            parameters, gradients = {}, {}
            for name, weight in node.layer.parameters.items():
                here = slice(at, at + weight.size)
                parameters[name] = self.parameter_vector[here].reshape(weight.shape)
                gradients[name] = self.gradient_vector[here].reshape(weight.shape)
                parameters[name][...] = weight
                at += weight.size
            node.layer.bind(parameters, gradients)


def _table(nodes: Sequence[Node]) -> str:
    """Return a line a layer with its kind, output shape and parameters, and a last line with their sum."""
    trained = [sum(weight.size for weight in node.layer.parameters.values()) for node in nodes]
    moving = [sum(array.size for array in node.layer.state.values()) for node in nodes]
    rows = [("layer", "kind", "output", "parameters")]
    for node, own, state in zip(nodes, trained, moving, strict=True):
        rows.append((node.name, node.kind, "x".join(map(str, node.layer.output_shape)), f"{own + state:,}"))
    name, kind, output, parameters = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [f"{row[0]:<{name}}  {row[1]:<{kind}}  {row[2]:>{output}}  {row[3]:>{parameters}}" for row in rows]
    return "\n".join([*lines, f"{sum(trained) + sum(moving):,} parameters, {sum(trained):,} of them trained"])
