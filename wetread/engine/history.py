"""What a training run measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class History:
    """One number an epoch: means over the epoch's images as they were seen, and over the validation images after it.

    loss, accuracy: on the training batches, each before its own step.
    val_loss, val_accuracy: empty without validation data.
    seconds: of the epoch, validation included.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.loss)

    def to_json(self) -> dict[str, list[float]]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, list[float]]) -> History:
        """Return the history in what `to_json` made."""
        return cls(**{name: list(values) for name, values in body.items()})
