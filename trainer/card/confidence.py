"""The sections of a model card on its probabilities: calibration, thresholds, confidence."""

from __future__ import annotations

from trainer.evaluation.markdown import estimate
from trainer.evaluation.tables import (
    abstention_table,
    calibration_table,
    decision_sentence,
    decision_table,
    operating_table,
    predictive_table,
)
from trainer.studies.making import Made


def calibration_section(made: Made) -> str:
    """Return whether a probability is as sure as it is right."""
    return "\n\n".join(
        [
            "## Calibration",
            f"Logits are divided by the temperature {made.decision.temperature:.3f}, fitted on the validation "
            "patients. The calibration error is the mean gap between confidence and accuracy over ten bins of equally "
            "many films; the Brier score is the squared error of the probabilities, from 0 to 2.",
            calibration_table(made.metrics[made.shown.value]).markdown(),
            "![Share of films that are right, by confidence](reliability.png)",
        ]
    )


def calls_section(made: Made) -> str:
    """Return each label's operating point, and what calls are worth where labels are rare."""
    metrics = made.metrics[made.shown.value]
    stated = metrics["stated"]
    return "\n\n".join(
        [
            "## Calls at a threshold",
            "A label called wherever its probability reaches a threshold of its own, chosen on the films of these "
            f"figures: the best sensitivity at a specificity of at least {stated['specificity']:g}, and of equals the "
            "highest. Films of one probability are called together. The interval of the sensitivity covers the choice "
            "of the threshold; that of the specificity is of this very threshold.",
            operating_table(metrics).markdown(),
            "What a call is worth depends on how rare the label is, and these films were collected. Where a share of "
            f"{stated['prevalence']:g} of an archive's films has it, by Bayes' rule from sensitivity and specificity, "
            "PPV is the share of the films called so that have it, NPV the share of the others that do not:",
            predictive_table(metrics).markdown(),
        ]
    )


def decision_section(made: Made) -> str:
    """Return when a label is said, and how good that is; empty where every film is given its most probable label."""
    sentence = decision_sentence(made.metrics[made.shown.value])
    if sentence == "" or not any(made.decision.thresholds.values()):
        return ""
    thresholds = ", ".join(f"{label} {least:.3f}" for label, least in made.decision.thresholds.items())
    return "\n\n".join(
        [
            "## Decision",
            "A film is given its most probable label where that one's probability reaches the label's threshold, and "
            f"is `uncertain` otherwise. The thresholds ({thresholds}) are the lowest that kept a specificity of "
            f"{made.decision.specificity:g} on the validation patients. On the {made.shown.value} patients {sentence}.",
            decision_table(made.metrics[made.shown.value]).markdown(),
        ]
    )


def abstention_section(made: Made) -> str:
    """Return how wrong the model is on the films it is surest of."""
    metrics = made.metrics[made.shown.value]
    return "\n\n".join(
        [
            "## Leaving films to a person",
            "The risk, the share of wrong labels, when only the films of the highest confidence are kept, and the "
            f"others are left to a person. Its mean over every coverage is {estimate(metrics['abstention']['area'])}; "
            "a confidence that says nothing would leave it at the risk of all films.",
            abstention_table(metrics).markdown(),
            "![Risk by the share of films kept](risk-coverage.png)",
        ]
    )
