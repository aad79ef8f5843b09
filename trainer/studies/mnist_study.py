"""The results of the MNIST study: rows of networks, trials of optimizers, means and spreads over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from schemas.architecture import Architecture
from trainer.studies import paper
from trainer.studies.digit_networks import digit_cnn, digit_dnn
from wetread.engine.history import History

POINTS_BETWEEN_TWINS = 0.3
"""Percentage points of accuracy within which a network from scratch and its twin should be."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table. needs: the module that must be installed; twin: the network from scratch it repeats."""

    name: str
    architecture: Callable[[], Architecture]
    needs: str
    paper: float
    target: float | None = None
    twin: str | None = None

    @property
    def installed(self) -> bool:
        """Whether it can be trained here."""
        return find_spec(self.needs) is not None


DNN, CNN = "DNN from scratch", "CNN from scratch"
ROWS = (
    Row(DNN, digit_dnn, "numpy", paper.MNIST["dnn"], target=0.980),
    Row(CNN, digit_cnn, "numpy", paper.MNIST["cnn"], target=0.989),
    Row("DNN in PyTorch", digit_dnn, "torch", paper.MNIST["dnn in PyTorch"], twin=DNN),
    Row("CNN in TensorFlow", digit_cnn, "tensorflow", paper.MNIST["cnn in TensorFlow"], twin=CNN),
)


@dataclass(frozen=True)
class Trial:
    """One row with one optimizer: a history a seed."""

    optimizer: str
    histories: Mapping[int, History]

    @property
    def accuracies(self) -> list[float]:
        """Of the test images after the last epoch, a seed each."""
        return [history.val_accuracy[-1] for history in self.histories.values()]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.accuracies)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; 0 of a single one."""
        return statistics.stdev(self.accuracies) if len(self.histories) > 1 else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.4f}" + (f" ± {self.spread:.4f}" if len(self.histories) > 1 else "")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "mean": self.mean,
            "spread": self.spread,
            "seconds": round(sum(sum(history.seconds) for history in self.histories.values()), 1),
            "seeds": {str(seed): history.to_json() for seed, history in self.histories.items()},
        }


@dataclass(frozen=True)
class Study:
    """The trials of every row that could be trained. setting: what they had in common, as JSON has it."""

    setting: Mapping[str, Any]
    optimizers: tuple[str, ...]
    trials: Mapping[tuple[str, str], Trial]

    def best(self, row: Row) -> Trial | None:
        """Return the row's trial of the highest mean; None where it could not be trained."""
        of_row = [trial for (name, _), trial in self.trials.items() if name == row.name]
        return max(of_row, key=lambda trial: trial.mean, default=None)

    def difference(self, twin: Row, optimizer: str) -> float:
        """Return the percentage points by which the mean of `twin`, which was trained, is above that from scratch."""
        return 100 * (self.trials[twin.name, optimizer].mean - self.trials[twin.twin or "", optimizer].mean)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, as `wetread reproduce mnist --json` prints it."""
        return {"setting": dict(self.setting), "rows": [self._row_json(row) for row in ROWS]}

    def _row_json(self, row: Row) -> dict[str, Any]:
        best = self.best(row)
        body: dict[str, Any] = {"row": row.name, "paper": row.paper, "needs": row.needs, "installed": best is not None}
        if best is None:
            return body
        body |= {
            "version": version(row.needs),
            "best_optimizer": best.optimizer,
            "optimizers": {optimizer: self.trials[row.name, optimizer].to_json() for optimizer in self.optimizers},
        }
        if row.target is not None:
            body["target"] = {"accuracy": row.target, "reached": best.mean >= row.target}
        if row.twin is not None:
            body["twin"] = row.twin
            body["above_its_twin_by_points"] = {
                optimizer: self.difference(row, optimizer) for optimizer in self.optimizers
            }
        return body
