"""A picture of the shortcut panel, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.evaluation.plots import BLUE, ORANGE, png

# After trainer.evaluation.plots, which says what to do where matplotlib is not installed.
from matplotlib.figure import Figure  # isort: skip
from matplotlib.ticker import PercentFormatter  # isort: skip


def shortcuts_plot(
    panel: Mapping[str, Any], metrics: Mapping[str, Any], *, title: str = "What shortcuts alone reach"
) -> bytes:
    """Draw the accuracy of the model and, view by view, of the small network on the same films, with intervals.

    panel: as `trainer.shortcuts.panel.Panel.to_json` returns it.
    metrics: the model's evaluation.
    A line is at the share of the most frequent label, which always giving that label reaches.
    """
    views = panel["views"]
    names = ["this model", *(f"small network:\n{view}" for view in views)]
    figures = [metrics["accuracy"], *(of["accuracy"] for of in views.values())]
    values, lows, highs = (np.array([figure[key] for figure in figures]) for key in ("value", "low", "high"))
    places = np.arange(len(names))
    figure = Figure(figsize=(7.2, 1.5 + 0.62 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(places, values, height=0.62, color=[BLUE, *([ORANGE] * len(views))], edgecolor="black")
    for bar in bars[1:]:
        bar.set_hatch("//")
        bar.set_edgecolor("0.35")
    errors = np.maximum([values - lows, highs - values], 0.0)
    axes.errorbar(
        values, places, xerr=errors, color="black", linestyle="none", capsize=4, label="95% interval by patient"
    )
    for place, value, high in zip(places, values, highs, strict=True):
        axes.annotate(f"{value:.1%}", (high, place), xytext=(6, 0), textcoords="offset points", va="center")
    counts = [of["n"] for of in metrics["labels"].values()]
    axes.axvline(
        max(counts) / sum(counts), color="0.3", linestyle=":", linewidth=1.4, label="always the commonest label"
    )
    axes.set(xlim=(0, 1.1), xlabel="accuracy", yticks=places, yticklabels=names, title=title)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.invert_yaxis()
    axes.set_axisbelow(True)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize="small"
    )
    return png(figure)
