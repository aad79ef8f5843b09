"""Pictures of what a model's confidence is worth, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.evaluation.plots import BLUE, ORANGE, png
from trainer.evaluation.reading import Readings
from trainer.statistics.calibration import expected_calibration_error
from trainer.statistics.figures import Floats
from trainer.statistics.reliability import reliability
from trainer.statistics.selective import abstention, risk_by_coverage
from wetread.models.decision import probabilities

# After trainer.evaluation.plots, which says what to do where matplotlib is not installed.
from matplotlib.axes import Axes  # isort: skip
from matplotlib.figure import Figure  # isort: skip
from matplotlib.ticker import MaxNLocator, PercentFormatter  # isort: skip

_BARS = 20


def reliability_plot(readings: Readings, *, title: str = "Reliability") -> bytes:
    """Draw accuracy by confidence in bins of equal mass, with intervals by patient; below, how many films are how sure.

    Before temperature scaling is drawn beside, where that changed something.
    """
    figure = Figure(figsize=(5.4, 6.8), layout="constrained")
    grid: Any = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above, below = grid
    least = 1 / len(readings.labels)
    above.plot([least, 1], [least, 1], color="0.6", linewidth=1, label="as often right as sure")
    if readings.temperature != 1.0:
        _bins(above, readings, 1.0, color=ORANGE, marker="s", linestyle="--", linewidth=1.2, markersize=4)
    _bins(above, readings, readings.temperature, color=BLUE, marker="o", linewidth=2, capsize=3, elinewidth=1)
    above.set(ylim=(-0.02, 1.02), ylabel="share of films that are right", title=title)
    confidence = readings.probabilities.max(axis=1)
    below.hist(confidence, bins=np.linspace(least, 1.0, _BARS + 1).tolist(), color=BLUE, edgecolor="white")
    below.set(xlim=(least - 0.02, 1.02), xlabel="confidence (highest probability)", ylabel="films")
    below.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    _frame(figure, above, below)
    return png(figure)


def risk_coverage_plot(readings: Readings, *, title: str = "Risk by coverage") -> bytes:
    """Draw the error rate of the surest films by how many are kept, with intervals by patient at some coverages."""
    wrong = readings.probabilities.argmax(axis=1) != readings.targets
    confidence = readings.probabilities.max(axis=1)
    found = abstention(wrong, confidence, readings.patients)
    points = [point for point in found["points"] if point["risk"] is not None]
    figure = Figure(figsize=(5.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    area = "" if found["area"] is None else f" (area {found['area']['value']:.3f})"
    axes.axhline(float(wrong.mean()), color="0.6", linewidth=1, label="no film left out")
    coverages, risks = risk_by_coverage(wrong, confidence)
    axes.plot(coverages, risks, color=BLUE, linewidth=1.5, label=f"the surest films{area}")
    places = np.array([point["coverage"] for point in points])
    _errors(axes, places, [point["risk"] for point in points], label="95% interval by patient", color=BLUE,
            linestyle="none", marker="o", capsize=3)  # fmt: skip
    for point in points:
        axes.annotate(
            f"{point['confidence']:.2f}", (point["coverage"], point["risk"]["high"]), xytext=(0, 6),
            textcoords="offset points", ha="center", fontsize="small",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip
    top = max(0.05, 1.15 * max([float(risks.max()), *(point["risk"]["high"] for point in points)]))
    axes.set(
        xlim=(-0.02, 1.04), xlabel="coverage: share of films kept (numbers: their least confidence)",
        ylim=(-0.02 * top, top), ylabel="risk: share of these that are wrong", title=title,
    )  # fmt: skip
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if top > 0.05 else 1))
    _frame(figure, axes)
    return png(figure)


def _frame(figure: Figure, *all_axes: Axes) -> None:
    """Give axes their grid and frame, and the figure a legend below them, where it hides nothing."""
    for axes in all_axes:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    lines, names = all_axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", frameon=False, fontsize="small")


def _bins(axes: Axes, readings: Readings, temperature: float, **style: Any) -> None:
    shares = probabilities(readings.logits, temperature)
    bins = [part for part in reliability(shares, readings.targets, readings.patients) if part["accuracy"] is not None]
    error = expected_calibration_error(shares, readings.targets)
    name = "before temperature scaling" if temperature != readings.temperature else f"temperature {temperature:.2f}"
    sizes = sorted({part["n"] for part in bins})
    places = np.array([part["confidence"] for part in bins])
    label = f"{name}, ECE {error:.3f}"
    if temperature == readings.temperature:
        _errors(axes, places, [part["accuracy"] for part in bins], **style,
                label=f"{label}, {len(bins)} bins of {' or '.join(map(str, sizes))} films")  # fmt: skip
    else:
        axes.plot(places, [part["accuracy"]["value"] for part in bins], label=label, **style)


def _errors(axes: Axes, places: Floats, figures: list[Mapping[str, float]], **style: Any) -> None:
    values, lows, highs = (np.array([figure[key] for figure in figures]) for key in ("value", "low", "high"))
    axes.errorbar(places, values, yerr=np.maximum([values - lows, highs - values], 0.0), **style)
