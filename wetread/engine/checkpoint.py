"""A checkpoint: the state from which a training continues as if it had never stopped."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import ArtefactError
from wetread.engine.array import Array
from wetread.engine.history import History
from wetread.engine.learner import Learner, Memory


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training run between two epochs, as arrays and as what JSON can hold; the caller writes both to a file.

    arrays: "weights/LAYER/WEIGHT", what the learner remembers ("slots/NAME" of the optimizer), "callbacks/NAME/...".
    record: the history, what the callbacks and the learner remember.
    """

    arrays: dict[str, Array]
    record: dict[str, Any]

    @classmethod
    def of(cls, learner: Learner, history: History, callbacks: Mapping[str, Memory]) -> Checkpoint:
        """Return a copy of where the run stands."""
        slots, remembered = learner.memory()
        arrays = {f"weights/{name}": array for name, array in learner.weights().items()}
        arrays |= {name: array.copy() for name, array in slots.items()}
        for callback, (memory, _) in callbacks.items():
            arrays |= {f"callbacks/{callback}/{name}": array.copy() for name, array in memory.items()}
        own = {name: dict(memory) for name, (_, memory) in callbacks.items()}
        return cls(arrays, copy.deepcopy({**remembered, "history": history.to_json(), "callbacks": own}))

    def restore(self, learner: Learner) -> History:
        """Put the run's weights and memory into a learner made as before; return its history.

        Raises ArtefactError when it is not the same.
        """
        if "callbacks" not in self.record:
            raise ArtefactError("expected a checkpoint of this version of wetread, found an earlier one's: begin anew")
        learner.remember(self.arrays, self.record)
        learner.load(self._under("weights/"))
        return History.from_json(self.record["history"])

    def callback_memory(self, name: str) -> Memory:
        """Return what the callback of this name remembered; empty when there was none."""
        return self._under(f"callbacks/{name}/"), self.record["callbacks"].get(name, {})

    def _under(self, prefix: str) -> dict[str, Array]:
        return {name.removeprefix(prefix): array for name, array in self.arrays.items() if name.startswith(prefix)}
