"""The engine's network as what an epoch loop trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import ArtefactError
from wetread.engine.array import Array, Labels
from wetread.engine.layers.dropout import Dropout
from wetread.engine.learner import Memory
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.engine.optimizers.optimizer import Optimizer

EVALUATION_BATCH = 64
"""Images a batch where no gradient is taken."""


class NetworkLearner:
    """A network, trained in place: each step is forward, loss, backward, update."""

    def __init__(self, network: Network, optimizer: Optimizer, loss: SoftmaxCrossEntropy) -> None:
        self.network, self.optimizer, self.loss = network, optimizer, loss

    @property
    def learning_rate(self) -> float:
        """The optimizer's."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.optimizer.learning_rate = rate

    @property
    def iterations(self) -> int:
        """Steps taken."""
        return self.optimizer.iterations

    def step(self, X: Array, labels: Labels) -> tuple[float, Array]:
        """Take one step on one batch; return its loss and its logits, both from before the step."""
        return train_step(self.network, X, labels, self.optimizer, self.loss)

    def evaluate(self, X: Array, labels: Labels) -> tuple[float, float]:
        """Return the mean loss and the accuracy, without learning anything."""
        return evaluate(self.network, X, labels, self.loss)

    def weights(self) -> dict[str, Array]:
        """Return a copy of the network's weights."""
        return self.network.weights()

    def load(self, weights: Mapping[str, Array]) -> None:
        """Give the network these weights."""
        self.network.load(weights)

    def memory(self) -> Memory:
        """Return the optimizer's slots, its class, step and rate, and the states of the dropout generators."""
        optimizer = self.optimizer
        record = {
            "optimizer": {
                "class": type(optimizer).__name__,
                "iterations": optimizer.iterations,
                "learning_rate": optimizer.learning_rate,
            },
            "generators": {name: layer.generator.bit_generator.state for name, layer in self._dropouts().items()},
        }
        return {f"slots/{name}": slot for name, slot in optimizer.slots.items()}, record

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:
        """Take what `memory` returned; raise ArtefactError when it is of another optimizer."""
        made, optimizer = record["optimizer"], self.optimizer
        if made["class"] != type(optimizer).__name__:
            raise ArtefactError(
                f"expected the checkpoint's optimizer, {made['class']}, found {type(optimizer).__name__}: use the same"
            )
        slots = {name: slot for name, slot in arrays.items() if name.startswith("slots/")}
        optimizer.slots = {name.removeprefix("slots/"): slot.copy() for name, slot in slots.items()}
        optimizer.iterations, optimizer.learning_rate = made["iterations"], made["learning_rate"]
        for name, layer in self._dropouts().items():
            layer.generator.bit_generator.state = record["generators"][name]

    def _dropouts(self) -> dict[str, Dropout]:
        return {node.name: node.layer for node in self.network.nodes if isinstance(node.layer, Dropout)}


def evaluate(network: Network, X: Array, labels: Labels, loss: SoftmaxCrossEntropy) -> tuple[float, float]:
    """Return the mean loss and the accuracy on images X (n, h, w, c), without learning anything from them."""
    total_loss = correct = 0.0
    for start in range(0, len(X), EVALUATION_BATCH):
        here = slice(start, start + EVALUATION_BATCH)
        logits = network.forward(X[here])
        total_loss += loss(logits, labels[here])[0] * len(logits)
        correct += int((logits.argmax(axis=1) == labels[here]).sum())
    return total_loss / len(X), correct / len(X)


def train_step(
    network: Network, X: Array, labels: Labels, optimizer: Optimizer, loss: SoftmaxCrossEntropy
) -> tuple[float, Array]:
    """Take one step on one batch; return its loss and its logits, both from before the step."""
    logits = network.forward(X, training=True)
    value, dlogits = loss(logits, labels)
    network.backward(dlogits)
    optimizer.step(network.parameter_vector, network.gradient_vector)
    return value, logits
