"""The options of a training: all that a model's provenance must hold to repeat it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from schemas.errors import UsageError
from trainer.training.augment import Augmentation
from wetread.engine.optimizers.build import OPTIMIZERS, make_optimizer
from wetread.engine.schedules import CosineDecay, Schedule

ENGINES = ("keras", "numpy")
BACKBONES = ("lite0",)
SCHEDULES = ("cosine", "constant")
_DEVICE = re.compile(r"cpu|gpu(:[0-9]+)?")
_WARMUP = 0.05
"""Share of the steps over which the cosine schedule first rises."""


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The settings of one training run; the same ones mean the same on Keras and on the NumPy engine.

    optimizer: one of the paper's five, with Keras's defaults but for the learning rate.
    learning_rate: None for the optimizer's own default; the peak of the cosine schedule.
    schedule: "cosine" rises over the first 5% of the steps and falls to 0; "constant" stays.
    label_smoothing: share of each target spread over all labels.
    class_weights: whether every label counts the same in the loss, however many films it has.
    patience: epochs without a better validation loss before training ends, with the best epoch's weights;
        None trains all epochs and keeps the last ones.
    average: decay of the average of the weights over the steps that is validated and kept instead of the last step's
        weights, such as 0.995 (see `wetread.engine.averaging`); None keeps the weights as they are.
    seed: of first weights, shuffling, augmentation and dropout.
    threads: that Keras may use; None leaves it to TensorFlow.
    device: where Keras computes, "cpu" or "gpu[:N]"; None leaves it to TensorFlow.
    backbone: whose weights the network starts from, one of BACKBONES; None draws them all.
    freeze: whether those weights stay as they are, and the last layer alone is learned.

    Raises UsageError when a value is out of its range.
    """

    engine: str = "keras"
    epochs: int = 50
    batch_size: int = 32
    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "cosine"
    label_smoothing: float = 0.05
    class_weights: bool = True
    patience: int | None = None
    average: float | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    threads: int | None = None
    device: str | None = None
    backbone: str | None = None
    freeze: bool = False

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("engine", self.engine, ENGINES),
            ("optimizer", self.optimizer, tuple(OPTIMIZERS)),
            ("schedule", self.schedule, SCHEDULES),
        ):
            if value not in choices:
                raise UsageError(f"unknown {name} {value!r}; choose one of {', '.join(choices)}")
        if self.epochs < 1 or self.batch_size < 1 or self.seed < 0 or (self.patience is not None and self.patience < 1):
            raise UsageError(
                f"expected epochs, batch size and patience of 1 or more and a seed of 0 or more, found {self.epochs}, "
                f"{self.batch_size}, {self.patience} and {self.seed}"
            )
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise UsageError(f"expected a learning rate above 0, found {self.learning_rate}")
        if self.average is not None and not 0 < self.average < 1:
            raise UsageError(f"expected an average's decay above 0 and below 1, such as 0.995, found {self.average}")
        if self.device is not None and not _DEVICE.fullmatch(self.device):
            raise UsageError(f"expected the device cpu, gpu or gpu:N, found {self.device!r}")
        if self.backbone not in (None, *BACKBONES) or (self.freeze and self.backbone is None):
            raise UsageError(f"expected a backbone, of {', '.join(BACKBONES)}, to freeze, found {self.backbone!r}")
        if self.engine == "numpy" and self.device not in (None, "cpu"):
            raise UsageError(f"the NumPy engine computes on the cpu, found the device {self.device}: train on keras")

    @property
    def optimizer_settings(self) -> dict[str, float | bool]:
        """The optimizer's numbers by name, the learning rate among them; the names are Keras's too."""
        chosen = {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        return make_optimizer(self.optimizer, **chosen).settings()

    def rate_of(self, batches: int) -> Schedule:
        """Return step -> learning rate, for a number of batches an epoch."""
        peak = float(self.optimizer_settings["learning_rate"])
        if self.schedule == "constant":
            return lambda _step: peak
        steps = self.epochs * batches
        # From 0 the first step would be none: it begins one step into the rise.
        warmup = max(1, round(_WARMUP * steps))
        cosine = CosineDecay(peak, steps=max(1, steps - warmup), warmup=warmup)
        return lambda step: cosine(step + 1)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        body = asdict(self) | {"optimizer_settings": self.optimizer_settings}
        if self.backbone is None:  # as before there was one, so that what was kept of a training is found again
            del body["backbone"], body["freeze"]
        return body
