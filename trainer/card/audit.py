"""The audit's section of a model card: what besides the lungs tells the label, and what was found wrong."""

from __future__ import annotations

from trainer.audit.judgement import THUMBNAIL_UNSAFE_ABOVE, UNSAFE_ABOVE, WHAT
from trainer.evaluation.markdown import table
from trainer.studies.making import Made


def audit_section(made: Made) -> str:
    """Return the findings, and how well each thing alone predicts each label."""
    audit = made.audit
    found = [f"- {finding.severity}: {finding.text}." for finding in audit.findings] or ["Nothing was found."]
    lines = [
        "## Audit of the data",
        "Looked for: patients on two sides of the split; one image, even recompressed, shifted or rescaled, on two "
        "sides, under two patients or with two labels; labels that something else than the lungs gives away.",
        "\n".join(found),
    ]
    if audit.shortcuts:
        kinds = list(dict.fromkeys(shortcut.kind for shortcut in audit.shortcuts))
        labels = list(dict.fromkeys(shortcut.label for shortcut in audit.shortcuts))
        areas = {(shortcut.kind, shortcut.label): str(shortcut.auroc) for shortcut in audit.shortcuts}
        lines += [
            "What each thing alone tells of each label: AUROC of a small model, not this one, on held-out patients. "
            f"Unsafe where the interval lies above {UNSAFE_ABOVE} ({THUMBNAIL_UNSAFE_ABOVE} for the thumbnail, which "
            "holds the lungs). A figure of the network that is no better than these says nothing of disease.",
            table(
                ("", *labels),
                [(WHAT[kind], *(areas.get((kind, label), "undefined") for label in labels)) for kind in kinds],
            ),
        ]
    if audit.not_judged:
        lines.append(f"Too few patients to judge what gives away: {', '.join(audit.not_judged)}.")
    return "\n\n".join(lines)
