"""Pictures of a comparison of optimizers, as PNG bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.evaluation.plots import BLUE, RED, png
from trainer.studies.comparison import Comparison

# After trainer.evaluation.plots, which says what to do where matplotlib is not installed.
from matplotlib.axes import Axes  # isort: skip
from matplotlib.figure import Figure  # isort: skip
from matplotlib.ticker import (  # isort: skip
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,
)

_SMALLEST_LOSS = 1e-7
"""What the logarithmic axis shows for less, 0 among it."""


def comparison_plot(comparison: Comparison, *, title: str = "Optimizers on the same films") -> bytes:
    """Draw accuracy (above) and loss by epoch, a column an optimizer, all on the same axes."""
    count = len(comparison.outcomes)
    figure = Figure(figsize=(1.4 + 2.35 * count, 5.2), layout="constrained")
    grid: Any = figure.subplots(2, count, sharex=True, sharey="row", squeeze=False)
    for column, (name, outcome) in enumerate(comparison.outcomes.items()):
        history = outcome.history
        above, below = grid[:, column]
        _curves(above, history.accuracy, history.val_accuracy)
        _curves(below, history.loss, history.val_loss)
        above.set_title(f"{name}\nlearning rate {outcome.settings['learning_rate']:g}", fontsize="medium")
        below.set_xlabel("epoch")
    grid[0, 0].set(ylabel="accuracy", ylim=(0, 1.02))
    grid[0, 0].yaxis.set_major_formatter(PercentFormatter(1.0))
    grid[1, 0].set(ylabel="loss (logarithmic)", yscale="log")
    number_losses(grid[1, 0])
    lines, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title)
    return png(figure)


def number_losses(axes: Axes) -> None:
    """Give a logarithmic axis its numbers, also where it is too short to hold two of the usual ones."""
    least, greatest = axes.get_ylim()
    if greatest < 5 * least:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _place: f"{loss:g}"))


def _curves(axes: Axes, training: list[float], held_out: list[float]) -> None:
    epochs = np.arange(1, len(training) + 1)
    marker = "o" if len(training) < 15 else None
    for values, colour, dash, name in (
        (training, BLUE, "-", "training films, as they were learned"),
        (held_out, RED, "--", "held-out patients"),
    ):
        shown = np.maximum(values, _SMALLEST_LOSS)
        axes.plot(epochs, shown, color=colour, linestyle=dash, marker=marker, markersize=3, linewidth=1.5, label=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
