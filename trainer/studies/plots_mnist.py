"""A picture of the MNIST study, as PNG bytes."""

from __future__ import annotations

from trainer.evaluation.plots import BLUE, RED, png
from trainer.studies.mnist_study import ROWS, Row, Study

# After trainer.evaluation.plots, which says what to do where matplotlib is not installed.
from matplotlib.axes import Axes  # isort: skip
from matplotlib.figure import Figure  # isort: skip
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # isort: skip

_LEAST_ERROR = 1e-4
"""Shown for less, since the axis is logarithmic: half a test image."""


def mnist_plot(study: Study) -> bytes:
    """Draw the test error by optimizer: a network from scratch beside its twin, a panel a network.

    Rings are seeds, filled marks their means, lines the paper's figures.
    """
    figure = Figure(figsize=(10.5, 4.6), layout="constrained")
    pairs = [(row, next(twin for twin in ROWS if twin.twin == row.name)) for row in ROWS if row.twin is None]
    above = None
    for place, (row, twin) in enumerate(pairs, start=1):
        axes = figure.add_subplot(1, len(pairs), place, sharey=above)
        above = above or axes
        _draw_row(axes, study, row, BLUE, "o", "--", -0.13)
        _draw_row(axes, study, twin, RED, "s", ":", 0.13)
        axes.set_yscale("log")
        axes.set_xticks(range(len(study.optimizers)), study.optimizers)
        axes.set_xlim(-0.5, len(study.optimizers) - 0.5)
        axes.set_title(row.name.partition(" ")[0])
        axes.set_ylabel("test error (logarithmic)" if place == 1 else "")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(_as_percent))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="y", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize="small", frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.08))
    seeds = max((len(trial.histories) for trial in study.trials.values()), default=0)
    figure.suptitle(
        f"MNIST, digits 0 to 4, {study.setting['side']} x {study.setting['side']} pixels, "
        f"{study.setting['epochs']} epochs: {seeds} seeds (rings) and their mean"
    )
    return png(figure)


def _draw_row(axes: Axes, study: Study, row: Row, colour: str, marker: str, dash: str, shift: float) -> None:
    axes.axhline(1 - row.paper, color=colour, linestyle=dash, linewidth=1.2, label=f"{row.name}, the paper's")
    named = False
    for place, optimizer in enumerate(study.optimizers):
        trial = study.trials.get((row.name, optimizer))
        if trial is None:
            continue
        errors = [max(1 - accuracy, _LEAST_ERROR) for accuracy in trial.accuracies]
        axes.plot([place + shift] * len(errors), errors, marker, mfc="none", mec=colour, markersize=5, alpha=0.7)
        label = None if named else f"{row.name}, ours"
        axes.plot([place + shift], [max(1 - trial.mean, _LEAST_ERROR)], marker, color=colour, markersize=7, label=label)
        named = True


def _as_percent(value: float, _place: int | None) -> str:
    return f"{100 * value:g}%"
