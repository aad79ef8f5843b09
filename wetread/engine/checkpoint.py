"""All that a training run must remember to go on as if it had never stopped."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import ArtefactError
from wetread.engine.array import Array
from wetread.engine.history import History
from wetread.engine.layers.dropout import Dropout
from wetread.engine.network import Network
from wetread.engine.optimizers.optimizer import Optimizer

Memory = tuple[dict[str, Array], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training run between two epochs, as arrays and as what JSON can hold; the caller writes both to a file.

    arrays: "weights/LAYER/WEIGHT", "slots/NAME" of the optimizer, "callbacks/NAME/..." of the callbacks.
    record: the optimizer's class, step and learning rate, the history, the state of the dropout generators.
    """

    arrays: dict[str, Array]
    record: dict[str, Any]

    @classmethod
    def of(
        cls, network: Network, optimizer: Optimizer, history: History, callbacks: Mapping[str, Memory]
    ) -> Checkpoint:
        """Return a copy of where the run stands."""
        arrays = {f"weights/{name}": array for name, array in network.weights().items()}
        arrays |= {f"slots/{name}": slot.copy() for name, slot in optimizer.slots.items()}
        for callback, (memory, _) in callbacks.items():
            arrays |= {f"callbacks/{callback}/{name}": array.copy() for name, array in memory.items()}
        record = {
            "optimizer": {
                "class": type(optimizer).__name__,
                "iterations": optimizer.iterations,
                "learning_rate": optimizer.learning_rate,
            },
            "history": history.to_json(),
            "generators": {name: layer.generator.bit_generator.state for name, layer in _dropouts(network).items()},
            "callbacks": {name: dict(memory) for name, (_, memory) in callbacks.items()},
        }
        return cls(arrays, copy.deepcopy(record))

    def restore(self, network: Network, optimizer: Optimizer) -> History:
        """Put the run's weights and memory into a network and an optimizer made as before; return its history.

        Raises ArtefactError when they are not the same network and optimizer.
        """
        made = self.record["optimizer"]
        if made["class"] != type(optimizer).__name__:
            raise ArtefactError(
                f"expected the checkpoint's optimizer, {made['class']}, found {type(optimizer).__name__}: use the same"
            )
        network.load(self._under("weights/"))
        optimizer.slots = {name: slot.copy() for name, slot in self._under("slots/").items()}
        optimizer.iterations, optimizer.learning_rate = made["iterations"], made["learning_rate"]
        for name, layer in _dropouts(network).items():
            layer.generator.bit_generator.state = self.record["generators"][name]
        return History.from_json(self.record["history"])

    def callback_memory(self, name: str) -> Memory:
        """Return what the callback of this name remembered; empty when there was none."""
        return self._under(f"callbacks/{name}/"), self.record["callbacks"].get(name, {})

    def _under(self, prefix: str) -> dict[str, Array]:
        return {name.removeprefix(prefix): array for name, array in self.arrays.items() if name.startswith(prefix)}


def _dropouts(network: Network) -> dict[str, Dropout]:
    return {node.name: node.layer for node in network.nodes if isinstance(node.layer, Dropout)}
