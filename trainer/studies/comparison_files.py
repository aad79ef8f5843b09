"""A comparison as files: what was fixed and found, two tables and a picture."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence

from trainer.studies.comparison import Comparison
from trainer.studies.plots_comparison import comparison_plot
from wetread.whole_file import AS_UMASK_SAYS, write_whole

TABLE_COLUMNS = (
    "optimizer",
    "learning_rate",
    "first_accuracy",
    "last_accuracy",
    "first_loss",
    "last_loss",
    "held_out_first_accuracy",
    "held_out_last_accuracy",
    "held_out_last_accuracy_low",
    "held_out_last_accuracy_high",
    "held_out_first_loss",
    "held_out_last_loss",
    "seconds",
)
EPOCH_COLUMNS = ("optimizer", "epoch", "accuracy", "loss", "held_out_accuracy", "held_out_loss", "seconds")


def write_comparison(folder: bytes, comparison: Comparison, *, title: str) -> None:
    """Write comparison.json, table.csv, epochs.csv and curves.png into `folder`, which is made where needed."""
    os.makedirs(folder, exist_ok=True)
    files = {
        b"comparison.json": (json.dumps(comparison.to_json(), indent=1, allow_nan=False) + "\n").encode(),
        b"table.csv": _csv(TABLE_COLUMNS, _table(comparison)),
        b"epochs.csv": _csv(EPOCH_COLUMNS, _epochs(comparison)),
        b"curves.png": comparison_plot(comparison, title=title),
    }
    for name, data in files.items():
        write_whole(os.path.join(folder, name), data, mode=AS_UMASK_SAYS)


def _table(comparison: Comparison) -> Iterable[Sequence[object]]:
    for name, outcome in comparison.outcomes.items():
        body = outcome.to_json()
        training, held_out = body["training"], body["held_out"]
        accuracy = held_out["last"]["accuracy"]
        yield (
            name,
            outcome.settings["learning_rate"],
            training["first"]["accuracy"],
            training["last"]["accuracy"],
            training["first"]["loss"],
            training["last"]["loss"],
            held_out["first"]["accuracy"],
            accuracy["value"],
            accuracy["low"],
            accuracy["high"],
            held_out["first"]["loss"],
            held_out["last"]["loss"],
            body["seconds"],
        )


def _epochs(comparison: Comparison) -> Iterable[Sequence[object]]:
    for name, outcome in comparison.outcomes.items():
        of = outcome.history
        figures = zip(of.accuracy, of.loss, of.val_accuracy, of.val_loss, of.seconds, strict=True)
        for epoch, values in enumerate(figures, start=1):
            yield (name, epoch, *values)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
