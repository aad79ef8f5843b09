"""What optimizers reached on the same films: the paper's table, for training and for held-out patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.audit.findings import Audit
from wetread.engine.history import History

LATE_EPOCHS = 10
"""Over so many last epochs the range of the accuracy is given: one epoch's figure can be luck."""


@dataclass(frozen=True)
class OptimizerOutcome:
    """What one optimizer reached.

    settings: the optimizer's numbers by name.
    accuracy: on the held-out patients after the last epoch: value, low and high of its 95% interval by patient.
    """

    settings: Mapping[str, float | bool]
    history: History
    accuracy: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: the first and the last epoch, the range over the last ones, and every epoch."""
        history = self.history
        return {
            "settings": dict(self.settings),
            "training": {
                "first": {"accuracy": history.accuracy[0], "loss": history.loss[0]},
                "last": {"accuracy": history.accuracy[-1], "loss": history.loss[-1]},
                "accuracy_range_of_last_epochs": _late_range(history.accuracy),
            },
            "held_out": {
                "first": {"accuracy": history.val_accuracy[0], "loss": history.val_loss[0]},
                "last": {"accuracy": dict(self.accuracy), "loss": history.val_loss[-1]},
                "accuracy_range_of_last_epochs": _late_range(history.val_accuracy),
            },
            "epochs": history.to_json(),
            "seconds": round(sum(history.seconds), 1),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> OptimizerOutcome:
        """Return the outcome in what `to_json` made."""
        return cls(body["settings"], History.from_json(body["epochs"]), body["held_out"]["last"]["accuracy"])


@dataclass(frozen=True)
class Comparison:
    """What was held the same, and what each optimizer reached.

    fixed: as JSON has it. films, patients: their number by side, "training" and "held_out". audit: of both sides.
    shortcuts: what `trainer.shortcuts.panel` reaches on the held-out films; None where that was not asked.
    """

    fixed: Mapping[str, Any]
    labels: tuple[str, ...]
    patients_known: bool
    films: Mapping[str, int]
    patients: Mapping[str, int]
    outcomes: Mapping[str, OptimizerOutcome]
    audit: Audit
    shortcuts: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, as `wetread compare --json` prints it."""
        return {
            "labels": list(self.labels),
            "patients_known": self.patients_known,
            "films": dict(self.films),
            "patients": dict(self.patients),
            "fixed": dict(self.fixed),
            "audit": self.audit.to_json(with_cases=False),
            "optimizers": {name: outcome.to_json() for name, outcome in self.outcomes.items()},
            "shortcuts": None if self.shortcuts is None else dict(self.shortcuts),
            "interval": {"level": 0.95, "method": "bootstrap over patients"},
            "notes": self.notes,
            "seconds": round(sum(sum(outcome.history.seconds) for outcome in self.outcomes.values()), 1),
        }

    @property
    def notes(self) -> list[str]:
        """Return how to read the figures, in sentences."""
        fixed = self.fixed
        rates = ", ".join(f"{name} {of.settings['learning_rate']:g}" for name, of in self.outcomes.items())
        augmentation = "no augmentation" if fixed["augmentation"] is None else "augmentation as in wetread train"
        smoothing = f", label smoothing {fixed['label_smoothing']:g}" if fixed["label_smoothing"] else ""
        return [
            "The same for every optimizer: films, patients on either side, first weights, batches and their order.",
            f"Learning rates: {rates}. They are Keras's defaults unless --learning-rate gave them, as are an "
            "optimizer's other numbers; the paper states none.",
            f"Also ours, where the paper states nothing: {fixed['arch']} of {fixed['parameters']:,} parameters, films "
            f"of {fixed['size']} x {fixed['size']} pixels, batches of {fixed['batch_size']}, {fixed['schedule']} "
            f"learning rate{smoothing}, {augmentation}, seed {fixed['seed']}, and who is held out.",
            "Training figures are means over the epoch as it was learned, each batch before its own step; held-out "
            "figures are taken after the epoch, on patients on whom nothing was chosen.",
            f"Where the accuracy's range over the last {LATE_EPOCHS} epochs is wide, that of the last one is luck; the "
            "interval covers the choice of patients, not that.",
        ]


def _late_range(accuracy: list[float]) -> list[float]:
    late = accuracy[-LATE_EPOCHS:]
    return [min(late), max(late)]
