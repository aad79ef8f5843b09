"""Pictures of a training and of an evaluation, as PNG bytes.

Colours are Okabe and Ito's, which colour-blind people tell apart; lines differ in dash and marker too.
Matplotlib is drawn on its Agg canvas through its objects: pyplot would keep state and look for a display.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np

from schemas.errors import UsageError
from trainer.evaluation.evaluation import confusion
from trainer.evaluation.reading import Readings
from trainer.statistics.figures import Booleans, Floats
from wetread.engine.history import History
from wetread.installing import install_command

try:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as missing:
    cure = install_command("train")
    raise UsageError(f"plots need matplotlib, which is not installed: run `{cure}`") from missing

BLUE, ORANGE, GREEN, PURPLE, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
_COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
_DASHES = ("-", "--", "-.", ":")
_DOTS_PER_INCH = 110


def history_plot(history: History, *, best_epoch: int | None = None, title: str = "Training") -> bytes:
    """Draw loss and accuracy by epoch, for training and validation; mark the epoch that was kept."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    epochs = np.arange(1, history.epochs + 1)
    marker = "o" if history.epochs < 15 else None
    for axes, name, train, validation in (
        (figure.add_subplot(1, 2, 1), "loss", history.loss, history.val_loss),
        (figure.add_subplot(1, 2, 2), "accuracy", history.accuracy, history.val_accuracy),
    ):
        axes.plot(epochs, train, color=BLUE, marker=marker, label="training films")
        if validation:
            axes.plot(epochs, validation, color=RED, linestyle="--", marker=marker, label="validation patients")
        if best_epoch is not None:
            axes.axvline(best_epoch, color="0.45", linestyle=":", linewidth=1.2, label=f"kept: epoch {best_epoch}")
        axes.set(xlabel="epoch", ylabel=name, title=name.capitalize())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if name == "accuracy":
            axes.set_ylim(0, 1.02)
        else:
            # Room above the highest, or a loss that hardly falls is cut off there.
            axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
        finish(axes)
    figure.suptitle(title)
    return png(figure)


def confusion_plot(readings: Readings, *, title: str = "Confusion") -> bytes:
    """Draw how many films of each true label were given each label; shades are shares of the true label."""
    counts = np.array(confusion(readings.targets, readings.probabilities.argmax(axis=1), len(readings.labels)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.8 * len(readings.labels)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    places = range(len(readings.labels))
    axes.set(
        xticks=places, yticks=places, xticklabels=readings.labels, yticklabels=readings.labels,
        xlabel="label given", ylabel="true label", title=title,
    )  # fmt: skip
    if len(readings.labels) > 4:
        axes.tick_params(axis="x", rotation=60)
    for row in places:
        for column in places:
            ink = "white" if shares[row, column] > 0.55 else "black"
            text = f"{counts[row, column]}\n{shares[row, column]:.0%}"
            axes.text(column, row, text, ha="center", va="center", color=ink)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="share of the true label")
    return png(figure)


def roc_plot(readings: Readings, *, title: str = "ROC, each label against the rest") -> bytes:
    """Draw the ROC curve of each label that occurs, with its area."""
    figure = Figure(figsize=(5.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    for number, label in enumerate(readings.labels):
        positive = readings.targets == number
        if 0 < positive.sum() < len(positive):
            false_positives, true_positives = roc_points(positive, readings.probabilities[:, number])
            area = float(np.trapezoid(true_positives, false_positives))
            axes.plot(
                false_positives,
                true_positives,
                color=_COLOURS[number % len(_COLOURS)],
                linestyle=_DASHES[number % len(_DASHES)],
                linewidth=2,
                label=f"{label} (AUROC {area:.3f})",
            )
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="chance")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="1 - specificity", ylabel="sensitivity", title=title)
    axes.set_aspect("equal")
    finish(axes, "lower right")
    return png(figure)


def roc_points(positive: Booleans, scores: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rates from (0, 0) to (1, 1), a point a score (films of one score together)."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    last_of_score = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true_positives = np.cumsum(hits)[last_of_score] / max(1, int(hits.sum()))
    false_positives = np.cumsum(~hits)[last_of_score] / max(1, int((~hits).sum()))
    return np.concatenate([[0.0], false_positives]), np.concatenate([[0.0], true_positives])


def finish(axes: Axes, legend: Literal["best", "lower right"] = "best") -> None:
    """Give axes that are drawn their grid, frame and legend."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc=legend, frameon=True, framealpha=0.9, fontsize="small")


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    # Without the version in its metadata, equal figures give equal bytes.
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()
