"""An evaluation as tables of text: the same ones on a terminal and in a model's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.evaluation.markdown import estimate, table

Metrics = Mapping[str, Any]
"""What `trainer.evaluation.evaluation.evaluate` returns."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows of text and whole numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def markdown(self) -> str:
        """Return the table as a card has it."""
        return table(self.columns, self.rows)


NO_TABLE = Table((), ())
"""Where there is nothing to show."""


def overall_table(metrics: Metrics) -> Table:
    """Return the figures of all labels together."""
    names = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_auroc": "macro AUROC"}
    rows = [(name, estimate(metrics[key])) for key, name in names.items()]
    if (decided := metrics["decision"]) is not None:
        rows.append(("share of films that the decision gives a label", estimate(decided["coverage"])))
        rows.append(("accuracy among these", estimate(decided["accuracy"])))
    return Table(("figure", "value"), tuple(rows))


def label_table(metrics: Metrics) -> Table:
    """Return the figures of each label, as the highest probability gives it."""
    return Table(
        ("label", "films", "sensitivity", "specificity", "AUROC"),
        tuple(
            (label, of["n"], estimate(of["sensitivity"]), estimate(of["specificity"]), estimate(of["auroc"]))
            for label, of in metrics["labels"].items()
        ),
    )


def confusion_table(metrics: Metrics) -> Table:
    """Return the films by true label, a row each, and label given."""
    labels = tuple(metrics["labels"])
    return Table(
        ("true label", *(f"called {label}" for label in labels)),
        tuple((label, *row) for label, row in zip(labels, metrics["confusion"], strict=True)),
    )


def calibration_table(metrics: Metrics) -> Table:
    """Return the calibration error and the Brier score, before and after temperature scaling."""
    before = metrics["before_temperature"]
    names = {"ece": "calibration error (ECE)", "brier": "Brier score"}
    return Table(
        ("figure", "value", "before temperature scaling"),
        tuple((name, f"{metrics[key]:.3f}", f"{before[key]:.3f}") for key, name in names.items()),
    )


def operating_table(metrics: Metrics) -> Table:
    """Return each label's threshold, and the sensitivity and specificity there."""
    return Table(
        (
            "label",
            "threshold",
            f"sensitivity at specificity {metrics['stated']['specificity']:g}",
            "specificity of this threshold",
        ),
        tuple(
            (label, threshold(of), estimate(of["sensitivity"]), estimate(of["at_threshold"]["specificity"]))
            for label, of in metrics["operating_points"].items()
        ),
    )


def predictive_table(metrics: Metrics) -> Table:
    """Return what a call of each label is worth at the stated prevalence, for both ways to call it."""
    prevalence = f"prevalence {metrics['stated']['prevalence']:g}"
    rows = []
    for label, of in metrics["labels"].items():
        point = metrics["operating_points"][label]
        for way, values in (("highest probability", of), (f"threshold {threshold(point)}", point["at_threshold"])):
            rows.append((label, way, estimate(values["ppv"]), estimate(values["npv"])))
    return Table(("label", "called by", f"PPV at {prevalence}", f"NPV at {prevalence}"), tuple(rows))


def decision_table(metrics: Metrics) -> Table:
    """Return how many films the decision gives each label, and how good it is; no row where there is no decision."""
    if (decided := metrics["decision"]) is None:
        return NO_TABLE
    return Table(
        ("label", "films called so", "sensitivity", "specificity", "precision here"),
        tuple(
            (label, of["called"], estimate(of["sensitivity"]), estimate(of["specificity"]), estimate(of["precision"]))
            for label, of in decided["labels"].items()
        ),
    )


def decision_sentence(metrics: Metrics) -> str:
    """Return how many films the decision gives a label, and how often that one is right; empty without a decision."""
    if (decided := metrics["decision"]) is None:
        return ""
    if not decided["said"]:
        return f"none of {decided['n']} films is given a label: all are uncertain"
    return (
        f"{decided['said']} of {decided['n']} films are given a label (coverage {estimate(decided['coverage'])}), "
        f"which is right for {estimate(decided['accuracy'])} of them; the others are uncertain"
    )


def abstention_table(metrics: Metrics) -> Table:
    """Return the risk of the surest films at some coverages."""
    return Table(
        ("coverage", "films kept", "least confidence", "risk"),
        tuple(
            (f"{point['coverage']:.0%}", point["films"], f"{point['confidence']:.3f}", estimate(point["risk"]))
            for point in metrics["abstention"]["points"]
        ),
    )


def within_source_table(metrics: Metrics) -> Table:
    """Return pairs of labels told apart among films of one source."""
    return Table(
        ("source", "labels", "films", "patients", "accuracy", "AUROC"),
        tuple(
            (source, name, pair["n"], pair["patients"], estimate(pair["accuracy"]), estimate(pair["auroc"]))
            for source, pairs in metrics["within_source"].items()
            for name, pair in pairs.items()
        ),
    )


def within_view_table(metrics: Metrics) -> Table:
    """Return pairs of labels told apart among films of one view; no row where none is stated, or it was not asked."""
    return Table(
        ("view", "labels", "films", "patients", "accuracy", "AUROC"),
        tuple(
            (view, name, pair["n"], pair["patients"], estimate(pair["accuracy"]), estimate(pair["auroc"]))
            for view, pairs in metrics.get("within_view", {}).items()
            for name, pair in pairs.items()
        ),
    )


def parts_table(metrics: Metrics) -> Table:
    """Return the figures of the films of each source, view and sex."""
    return Table(
        ("by", "value", "films", "patients", "accuracy", "balanced accuracy"),
        tuple(
            (by, value, part["n"], part["patients"], estimate(part["accuracy"]), estimate(part["balanced_accuracy"]))
            for by, values in metrics["by"].items()
            for value, part in values.items()
        ),
    )


def threshold(point: Mapping[str, Any]) -> str:
    """Return an operating point's threshold as text."""
    return "none" if point["threshold"] is None else f"{point['threshold']:.3f}"
