"""Prints an evaluation as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from cli.output import emit_table

Command = TypeVar("Command", bound=Callable[..., Any])


def stated_options(command: Command) -> Command:
    """Give a command that evaluates the options for what figures are asked at."""
    prevalence = click.option(
        "--prevalence",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.05,
        show_default=True,
        help="Share of films with a label, for which predictive values are printed.",
    )
    specificity = click.option(
        "--specificity",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.95,
        show_default=True,
        help="The specificity of each label's operating point.",
    )
    return specificity(prevalence(command))


def show_evaluation(
    metrics: Mapping[str, Any], title: str, *, whole: bool = False, shortcuts: Mapping[str, Any] | None = None
) -> None:
    """Print an evaluation of `trainer.evaluation.evaluation` as tables: the main ones, or the `whole`.

    shortcuts: the panel of `trainer.shortcuts.panel`, made on the same films, which comes after the accuracy.
    """
    from trainer.evaluation import tables
    from trainer.shortcuts.table import shortcuts_table

    whom = f"{title}: {metrics['n']} films of {metrics['patients']} patients; 95% intervals by patient"
    shown = {
        whom: tables.overall_table,
        "what shortcuts alone reach: a small network that sees less, trained on the same patients; gaps are paired": (
            lambda of: tables.NO_TABLE if shortcuts is None else shortcuts_table(shortcuts, of)
        ),
        "each label against the rest, as the highest probability gives it": tables.label_table,
        "two labels told apart within one source, where the source cannot help": tables.within_source_table,
        "two labels told apart within one view, AP or PA, which itself tells labels apart": tables.within_view_table,
        "each label where the decision says it; other films are uncertain": tables.decision_table,
    }
    if whole:
        shown |= {
            "films by true label and label given": tables.confusion_table,
            "by source, view and sex": tables.parts_table,
            "operating points: a label called by a threshold of its own": tables.operating_table,
            "what a call is worth where the label is this rare": tables.predictive_table,
            "when the least sure films are left to a person": tables.abstention_table,
            "is a probability as sure as it is right": tables.calibration_table,
        }
    for name, table_of in shown.items():
        table = table_of(metrics)
        if table.rows:
            emit_table(table.columns, table.rows, title=name, one_of_many=True)


def show_differences(differences: Mapping[str, Any], direction: str) -> None:
    """Print the paired differences of `trainer.evaluation.paired`; direction: "ONE minus OTHER"."""
    rows = [
        (name, signed(differences[key]))
        for key, name in (
            ("accuracy", "accuracy"), ("balanced_accuracy", "balanced accuracy"), ("macro_auroc", "macro AUROC"),
        )
    ]  # fmt: skip
    rows += [(f"AUROC of {label}", signed(of["auroc"])) for label, of in differences["labels"].items()]
    title = f"difference: {direction}, above 0 where the first is better; paired 95% intervals by patient"
    emit_table(("figure", direction), rows, title=title)


def signed(figure: Mapping[str, float] | None) -> str:
    """Return a difference with its interval as text."""
    return "-" if figure is None else f"{figure['value']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f})"


def estimate(figure: Mapping[str, float] | None) -> str:
    """Return a figure with its interval as text."""
    return "-" if figure is None else f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
