"""Readings decided anew, against readings decided in the first place."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wetread.models.decision import Decision, decide
from wetread.models.redeciding import decided_by
from wetread.store.models.redeciding import StoredReading

LABELS = ("covid", "normal", "pneumonia")
MODEL = "a" * 64

decisions = st.builds(
    lambda temperature, thresholds: Decision(MODEL, temperature, dict(zip(LABELS, thresholds, strict=False))),
    st.floats(0.2, 5.0),
    st.lists(st.floats(0.0, 1.0), max_size=3),
)


@given(
    st.lists(st.tuples(*[st.floats(-20.0, 20.0)] * 3), min_size=1, max_size=8).filter(
        lambda rows: all(
            abs(a - b) > 1e-6 for row in rows for a, b in ((row[0], row[1]), (row[1], row[2]), (row[0], row[2]))
        )
    ),
    decisions,
    decisions,
)
def test_deciding_anew_gives_what_reading_under_the_new_decision_would_have(
    logits: list[tuple[float, float, float]], first: Decision, second: Decision
) -> None:
    def read(decision: Decision) -> list[StoredReading]:
        sha256s = [f"{number:064d}" for number in range(len(logits))]
        made = decide(np.array(logits), decision, labels=LABELS, sha256s=sha256s, engine="numpy")
        return [
            StoredReading(number, of.logits, of.label, of.probability, of.probabilities, of.decision)
            for number, of in enumerate(made)
        ]

    assert decided_by(second, LABELS, read(first)) == read(second)
