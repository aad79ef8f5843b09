"""The part of a model card that comes first: how much of its skill a network without the lungs has too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.making import Made
from trainer.markdown import estimate, table
from trainer.panel import WHOLE


def shortcuts_section(made: Made) -> str:
    """Return the shortcut panel; empty where none was made."""
    if made.panel is None:
        return ""
    panel, metrics = made.panel, made.metrics[made.shown.value]
    pair = _largest_pair(metrics["within_source"])
    named = f"AUROC of {pair[1]} within {pair[0]}" if pair else "-"
    rows = [("this model", *_figures(metrics, pair), "")]
    for view, figures in panel["views"].items():
        rows.append((view, *_figures(figures, pair), estimate(figures["model_above"]["accuracy"])))
    masked = {view: figures for view, figures in panel["views"].items() if view != WHOLE}
    best = max(masked, key=lambda view: masked[view]["accuracy"]["value"])
    above = masked[best]["model_above"]
    return "\n\n".join(
        [
            "## What shortcuts alone reach",
            f"**The model's accuracy is {estimate(above['accuracy'])} above that of a small network that sees only "
            f"{best}, and its macro AUROC {estimate(above['macro_auroc'])}.** The rest of its accuracy needs no lungs.",
            f"One small network ({panel['arch']}, {panel['size']} pixels, {panel['epochs']} epochs) was trained on the "
            "same patients for each row, on films from which more or less was taken away. 95% intervals by patient; "
            "the gaps are paired.",
            table(("what is seen", "accuracy", "macro AUROC", named, "this model's accuracy above it"), rows),
        ]
    )


def _figures(metrics: Mapping[str, Any], pair: tuple[str, str] | None) -> tuple[str, str, str]:
    within = metrics["within_source"].get(pair[0], {}).get(pair[1]) if pair else None
    auroc = "-" if within is None else estimate(within["auroc"])
    return estimate(metrics["accuracy"]), estimate(metrics["macro_auroc"]), auroc


def _largest_pair(within: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the source and the pair of labels of the most films."""
    pairs = [(pair["n"], source, name) for source, named in within.items() for name, pair in named.items()]
    return max(pairs)[1:] if pairs else None
