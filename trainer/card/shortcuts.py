"""The first section of a model card: how much of its skill a network without the lungs has too."""

from __future__ import annotations

from trainer.shortcuts.controls import ARCH
from trainer.shortcuts.table import best_without_lungs, gap, shortcuts_table, small_network
from trainer.studies.making import Made


def shortcuts_section(made: Made) -> str:
    """Return the shortcut panel; empty where none was made."""
    if made.panel is None:
        return ""
    panel, metrics = made.panel, made.metrics[made.shown.value]
    best, figures = best_without_lungs(panel)
    above = figures["model_above"]
    epochs = f"{panel['epochs']} epoch{'s' * (panel['epochs'] != 1)}"
    rest = (
        "The rest of its accuracy can be had from that alone."
        if above["accuracy"]["value"] > 0
        else "Nothing shows that it looks at lungs at all."
    )
    how = (
        f"One small network ({panel['arch']}, {panel['size']} pixels, {epochs}) was trained on the same patients for "
        "each row, on films from which more or less was taken away."
        if panel["arch"] != ARCH
        else "Each row is a logistic regression on the same patients, which sees no picture of the lungs. The "
        f"outline is that of the network's own input, {panel['size']} pixels a side."
    )
    return "\n\n".join(
        [
            "## What shortcuts alone reach",
            f"**The model's accuracy is {gap(above['accuracy'])} that of {small_network(best)}, and its macro AUROC "
            f"{gap(above['macro_auroc'])}.** {rest}",
            "![What shortcuts alone reach](shortcuts.png)",
            f"{how} 95% intervals by patient; the gaps are paired.",
            shortcuts_table(panel, metrics).markdown(),
        ]
    )
