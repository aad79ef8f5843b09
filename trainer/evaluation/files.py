"""An evaluation as files: its figures and its plots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from trainer.evaluation.plots import confusion_plot, roc_plot
from trainer.evaluation.plots_confidence import reliability_plot, risk_coverage_plot
from trainer.evaluation.plots_panel import shortcuts_plot
from trainer.evaluation.reading import Readings


def evaluation_plots(readings: Readings, *, title: str) -> dict[str, bytes]:
    """Return file name -> PNG of the plots of an evaluation."""
    return {
        "confusion.png": confusion_plot(readings, title=title),
        "roc.png": roc_plot(readings, title=title),
        "reliability.png": reliability_plot(readings, title=title),
        "risk-coverage.png": risk_coverage_plot(readings, title=title),
    }


def shortcuts_plots(panel: Mapping[str, Any] | None, metrics: Mapping[str, Any], *, title: str) -> dict[str, bytes]:
    """Return file name -> PNG of the shortcut panel beside the `metrics` of the same films; empty without a panel."""
    return {} if panel is None else {"shortcuts.png": shortcuts_plot(panel, metrics, title=title)}


def evaluation_files(name: str, evaluation: Mapping[str, Any], readings: Readings, *, title: str) -> dict[str, bytes]:
    """Return file name -> content of the file `name`, which has the figures as JSON, and of the plots."""
    figures = (json.dumps(evaluation, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    return {name: figures} | evaluation_plots(readings, title=title)
