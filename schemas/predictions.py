"""What one model says of one image's bytes."""

from __future__ import annotations

from dataclasses import dataclass

ENGINES = ("numpy", "keras", "onnx")
"""What can compute a prediction, all from one artefact."""

UNCERTAIN = "uncertain"
"""The decision where the most probable label stays below its threshold."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One model's reading of one file's bytes, and what the decision record makes of it.

    engine: one of `ENGINES`. logits: one a label, in the model's label order, before temperature.
    gate_score: how little the image is laid out as a chest film; None where the model has no gate.
    probabilities: softmax(logits / temperature), one a label.
    decision: the label that the thresholds allow, or "uncertain".
    decision_digest: the decision record that was applied.
    shown: the digest of what a DICOM film shows; None for another file, and where nobody made it.
    grey_mean, grey_deviation: of the preprocessed film's grey levels, 0 to 255; None where nobody measured them.
    """

    sha256: str
    model_digest: str
    engine: str
    logits: tuple[float, ...]
    gate_score: float | None
    label: str
    probability: float
    probabilities: tuple[float, ...]
    decision: str
    decision_digest: str
    grey_mean: float | None = None
    grey_deviation: float | None = None
    shown: str | None = None
