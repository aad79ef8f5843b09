"""The shortcut panel as a table and as a sentence: the same ones on a terminal and in a model's card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.evaluation.markdown import estimate
from trainer.evaluation.tables import Metrics, Table
from trainer.shortcuts.controls import CONTROLS
from trainer.shortcuts.views import WHOLE

_ONLY = {"the middle 60% blacked out": "what surrounds the middle 60% of each side", "the border alone": "the border"}
"""View -> what is seen in it, as an object of "sees only"."""

ShownPanel = Mapping[str, Any]
"""What `trainer.shortcuts.panel.Panel.to_json` returns."""


def shortcuts_table(panel: ShownPanel, metrics: Metrics) -> Table:
    """Return what the model and, view by view, the small network reach on the same films.

    Where sources can be compared within, the pair of labels of the most films has a column.
    """
    pair = _largest_pair(metrics["within_source"])
    named = (f"AUROC of {pair[1]} within {pair[0]}",) if pair else ()
    rows = [("this model", "", *_figures(metrics, pair))]
    for view, figures in panel["views"].items():
        rows.append((view, estimate(figures["model_above"]["accuracy"]), *_figures(figures, pair)))
    # The gap comes first: a narrow page cuts the last columns off.
    return Table(("what is seen", "this model's accuracy above it", "accuracy", "macro AUROC", *named), tuple(rows))


def shortcuts_alone_table(panel: ShownPanel) -> Table:
    """Return what the small network reaches view by view, where no one model is set against it."""
    rows = tuple((view, *_figures(figures, None)) for view, figures in panel["views"].items())
    return Table(("what is seen", "accuracy", "macro AUROC"), rows)


def best_without_lungs(panel: ShownPanel) -> tuple[str, Mapping[str, Any]]:
    """Return the view other than the whole film on which the small network is best, and its figures.

    Of equals it is the first by name, so that the order in which a file has them says nothing.
    """
    masked = {view: figures for view, figures in sorted(panel["views"].items()) if view != WHOLE}
    best = max(masked, key=lambda view: float(masked[view]["accuracy"]["value"]))
    return best, masked[best]


def small_network(view: str) -> str:
    """Return the small network on this view, or the control of a model of lungs, in words."""
    if view in CONTROLS:
        return f"a regression on {view}"
    return f"a small network that sees only {_ONLY.get(view, view)}"


def above_shortcuts(panel: ShownPanel) -> str:
    """Return how far the model's accuracy is above what needs no lungs, as a sentence's part."""
    view, figures = best_without_lungs(panel)
    return f"accuracy {gap(figures['model_above']['accuracy'])} {small_network(view)}"


def gap(figure: Mapping[str, float] | None) -> str:
    """Return a difference as words: how much, with its interval, above or below; it may be undefined."""
    if figure is None or figure["value"] >= 0:
        return f"{estimate(figure)} above"
    return f"{estimate({'value': -figure['value'], 'low': 0.0 - figure['high'], 'high': -figure['low']})} below"


def _figures(metrics: Mapping[str, Any], pair: tuple[str, str] | None) -> tuple[str, ...]:
    shown = (estimate(metrics["accuracy"]), estimate(metrics["macro_auroc"]))
    if pair is None:
        return shown
    source, labels = pair
    return (*shown, estimate(metrics["within_source"][source][labels]["auroc"]))


def _largest_pair(within: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the source and the pair of labels of the most films."""
    pairs = [(pair["n"], source, name) for source, named in within.items() for name, pair in named.items()]
    return max(pairs)[1:] if pairs else None
