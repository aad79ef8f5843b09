"""Logits become probabilities, a label and a decision as the record says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.errors import ArtefactError
from wetread.models.decision import Decision, decide, probabilities

LABELS = ("clear", "diffuse", "focal")
MODEL = "a" * 64


def read(logits: list[list[float]], decision: Decision, **extra: object) -> list:
    sha256s = [f"{row:064x}" for row in range(len(logits))]
    return decide(np.array(logits, np.float32), decision, labels=LABELS, sha256s=sha256s, engine="numpy", **extra)


@given(
    arrays(
        np.float32, st.tuples(st.integers(0, 4), st.integers(2, 5)), elements=st.floats(-(2.0**100), 2.0**100, width=32)
    ),
    st.floats(0.05, 50),
)
def test_probabilities_are_probabilities_for_any_logits(logits: np.ndarray, temperature: float) -> None:
    shares = probabilities(logits, temperature)
    assert shares.shape == logits.shape
    assert ((shares >= 0) & (shares <= 1)).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    if len(logits):
        assert (np.take_along_axis(shares, logits.argmax(1)[:, None], 1)[:, 0] == shares.max(1)).all()


def test_temperature_is_what_the_paper_says() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1]]))
    np.testing.assert_allclose(probabilities(logits, 1.0), [[0.7, 0.2, 0.1]])
    squared = np.array([[0.49, 0.04, 0.01]])
    np.testing.assert_allclose(probabilities(logits, 0.5), squared / squared.sum())


def test_a_prediction_carries_everything_it_depends_on() -> None:
    decision = Decision(MODEL, 2.0, {"focal": 0.9})
    first, second = read([[4.0, 0.0, 0.0], [0.0, 0.0, 4.0]], decision, gate_scores=[0.5, None])

    assert (first.sha256, first.model_digest, first.engine) == ("0" * 64, MODEL, "numpy")
    assert first.logits == (4.0, 0.0, 0.0)
    assert (first.label, first.decision, first.gate_score) == ("clear", "clear", 0.5)
    assert first.probability == first.probabilities[0] == pytest.approx(np.exp(2) / (np.exp(2) + 2))
    assert first.decision_digest == decision.digest
    assert (second.label, second.decision, second.gate_score) == ("focal", "uncertain", None)
    json.dumps([first.logits, first.probabilities])  # plain floats, as the database wants them


def test_a_probability_at_its_threshold_is_enough_and_a_label_without_one_is_always_said() -> None:
    half = [[0.0, 0.0, -1e9]]
    assert read(half, Decision(MODEL, 1.0, {"clear": 0.5}))[0].decision == "clear"
    assert read(half, Decision(MODEL, 1.0, {"clear": 0.5 + 1e-9}))[0].decision == "uncertain"
    assert read(half, Decision(MODEL, 1.0, {"diffuse": 1.0}))[0].decision == "clear"


def test_no_images_are_no_predictions() -> None:
    assert decide(np.zeros((0, 3)), Decision(MODEL), labels=LABELS, sha256s=[], engine="numpy") == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_never_a_reading(bad: float) -> None:
    with pytest.raises(ArtefactError, match="finite"):
        read([[0.0, bad, 0.0]], Decision(MODEL))


def test_the_digest_follows_the_values_and_not_how_they_were_written() -> None:
    assert Decision(MODEL, 2, {"a": 1, "b": 0}).digest == Decision(MODEL, 2.0, {"b": 0.0, "a": 1.0}).digest
    others = [Decision("b" * 64, 2.0), Decision(MODEL, 2.5), Decision(MODEL, 2.0, {"a": 0.5}), Decision(MODEL, 2.0)]
    assert len({decision.digest for decision in others}) == len(others)
    decision = Decision(MODEL, 1.25, {"focal": 0.3})
    assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision


@pytest.mark.parametrize("values", [(0.0, {}), (-1.0, {}), (float("nan"), {}), (1.0, {"a": 1.5}), (1.0, {"a": -0.1})])
def test_a_record_that_cannot_be_applied_is_refused(values: tuple[float, dict[str, float]]) -> None:
    with pytest.raises(ArtefactError, match="decision"):
        Decision(MODEL, *values)


def test_a_record_that_was_altered_is_refused() -> None:
    body = Decision(MODEL, 1.0, {"focal": 0.9}).to_json()
    with pytest.raises(ArtefactError, match="altered"):
        Decision.from_json(body | {"thresholds": {"focal": 0.1}})
    with pytest.raises(ArtefactError, match="numbers"):
        Decision.from_json(body | {"thresholds": {"focal": "0.9"}})
