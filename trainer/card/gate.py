"""The input gate's section of a model card: what it refuses, and how often it refuses films."""

from __future__ import annotations

from trainer.evaluation.markdown import estimate, table
from trainer.studies.making import Made


def gate_section(made: Made) -> str:
    """Return the gate's figures; empty where the model has none."""
    if made.gate is None:
        return ""
    figures = made.gate[1]
    kinds = [
        (kind, "drawn" if of["drawn"] else "made of the films", of["n"], estimate(of["auroc"]), estimate(of["refused"]))
        for kind, of in figures["kinds"].items()
    ]
    return "\n\n".join(
        [
            "## The input gate",
            "A picture that is not laid out as an upright frontal chest film is rejected as `not_a_film` and is not "
            "read. The gate scores a thumbnail of the network's input; it was fitted on the training films, on "
            "the same films turned, inverted or cut, and on drawings, and its threshold on the validation films.",
            f"Of the {figures['n']} films of {figures['patients']} {figures['side']} patients it refuses the share "
            f"{estimate(figures['false_rejection'])}. Told from films, the mean over the kinds below, AUROC "
            f"{estimate(figures['auroc'])}; refused {estimate(figures['refused'])} of them.",
            table(("not a film", "pictures", "number", "AUROC", "refused"), kinds),
            "Films that must pass, changed as another scanner or export may change them:",
            table(("change", "refused"), [(name, estimate(figure)) for name, figure in figures["handled"].items()]),
            "Drawings are simpler than what archives hold, and other drawings of the same kinds were fitted on. What "
            "resembles a chest in a dozen cells a side, such as a lateral view or a child's film, may pass; another "
            "hospital's unusual film may be refused: look at `wetread errors list` for `not_a_film`.",
        ]
    )
