"""The figures of a model card: how often the model is right, and for which patients."""

from __future__ import annotations

from trainer.data.side import Side
from trainer.evaluation.markdown import estimate, times
from trainer.evaluation.tables import (
    confusion_table,
    label_table,
    overall_table,
    parts_table,
    within_source_table,
    within_view_table,
)
from trainer.studies.making import Made


def figures_section(made: Made, openings: int) -> str:
    """Return the figures of the side that is shown, with intervals."""
    metrics = made.metrics[made.shown.value]
    for_whom = "for this model" if openings == 1 else "this model included"
    opened = "" if made.shown is Side.VALIDATION else f" They were opened {times(openings)}, {for_whom}."
    validation = made.metrics[Side.VALIDATION.value]
    beside = (
        ""
        if made.shown is Side.VALIDATION
        else (
            f" Validation patients, for comparison: accuracy {estimate(validation['accuracy'])}, macro AUROC "
            f"{estimate(validation['macro_auroc'])}."
        )
    )
    return "\n\n".join(
        [
            f"## Figures on {made.shown.value} patients",
            f"{metrics['n']} films of {metrics['patients']} patients who did not train it.{opened} In brackets: "
            f"95% intervals by {metrics['interval']['method']}, {metrics['interval']['replicates']} draws.{beside}",
            overall_table(metrics).markdown(),
            "Each label against the rest; a film is given the label of the highest probability:",
            label_table(metrics).markdown(),
            "Films by true label (rows) and label given (columns):",
            confusion_table(metrics).markdown(),
            "![Films by true label and label given](confusion.png) "
            "![ROC curve of each label against the rest](roc.png)",
        ]
    )


def within_section(made: Made) -> str:
    """Return what remains where the source cannot help; empty where no source has two labels."""
    table = within_source_table(made.metrics[made.shown.value])
    if not table.rows:
        return ""
    return (
        "## Within one source\n\nTwo labels told apart among films of one source: what remains of the figures above "
        "where the source cannot help. Chance is an AUROC of 0.5.\n\n" + table.markdown()
    )


def within_view_section(made: Made) -> str:
    """Return what remains where the view cannot help; empty where the data states no view."""
    table = within_view_table(made.metrics[made.shown.value])
    if not table.rows:
        return ""
    return (
        "## Within one view\n\nThe ill are filmed lying down (AP), the well standing (PA), so the view alone tells "
        "labels apart. Within a view it cannot.\n\n" + table.markdown()
    )


def parts_section(made: Made) -> str:
    """Return the figures of each part of the films; empty where the manifest names none."""
    table = parts_table(made.metrics[made.shown.value])
    return "" if not table.rows else "## By source, view and sex\n\n" + table.markdown()
