"""Selective risk: the error on the films that a model is surest of, when it leaves the rest to a person.

The confidence is the highest probability. The coverage is the share of films that are kept, the surest first, and
the risk is the share of these that are given a wrong label. The area under risk by coverage is the mean risk
over keeping 1, 2, ... n films: 0 for a model that is always right, and its error rate for one whose confidence
says nothing (Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks"; the area: Geifman,
Uziel and El-Yaniv 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers").

Films of one confidence come in any order, so that a figure takes the mean over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.statistics.figures import Booleans, Figure, Floats, ratio
from trainer.statistics.intervals import named_estimates
from trainer.statistics.ranking import Ranking

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
_ROUNDING = 1e-9
"""The share 0.07 of 100 films is 7.000000000000001 in floating point, and 7 films are enough."""


def risk_at(wrong: Booleans, confidence: Floats, coverage: float) -> Figure:
    """Return the risk of the surest films, as few as make up `coverage`.

    wrong: whether each film's label is wrong, (n,). confidence: (n,). coverage: above 0, at most 1.
    """
    ranking = Ranking(confidence)

    def figure(weights: Floats) -> Floats:
        films, errors = _walk(ranking, wrong, weights)
        kept = np.minimum(np.ceil(coverage * films[:, -1] - _ROUNDING), films[:, -1])
        rows, step = np.arange(len(weights)), (films < kept[:, np.newaxis]).sum(axis=1)
        before, after = (rows, step - 1), (rows, step)
        # Of the last step only a part may be kept: its films are wrong as often as the step's are.
        part = ratio(kept - films[before], films[after] - films[before])
        return ratio(errors[before] + part * (errors[after] - errors[before]), kept)

    return figure


def area_under_risk(wrong: Booleans, confidence: Floats) -> Figure:
    """Return the mean of the risk over keeping the 1, 2, ... n surest films; the weights must be whole numbers."""
    ranking = Ranking(confidence)

    def figure(weights: Floats) -> Floats:
        films, errors = _walk(ranking, wrong, weights)
        # Within a step, from b films with E errors on, each film is wrong at the step's rate r. The risk of the i
        # surest is then (E + r (i - b)) / i, and its sum over the step has the harmonic numbers for the sum of 1/i.
        harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, films.max() + 1))])
        reciprocals = np.diff(harmonic[films.astype(np.int64)], axis=1)
        rate = np.nan_to_num(ratio(np.diff(errors, axis=1), np.diff(films, axis=1)))
        risks = np.diff(errors, axis=1) + (errors[:, :-1] - rate * films[:, :-1]) * reciprocals
        return ratio(risks.sum(axis=1), films[:, -1])

    return figure


def risk_by_coverage(wrong: Booleans, confidence: Floats) -> tuple[Floats, Floats]:
    """Return coverages, rising to 1, and the risk at each: a point a confidence that some film has, for the plot."""
    films, errors = (walked[0, 1:] for walked in _walk(Ranking(confidence), wrong, np.ones((1, len(wrong)))))
    return films / len(wrong), errors / films


def abstention(wrong: Booleans, confidence: Floats, patients: Sequence[str], **draws: int) -> dict[str, Any]:
    """Return the area and the risk at some coverages, as `trainer.evaluation.evaluation.evaluate` gives them.

    patients: of each film. A point's confidence is the lowest that is kept.
    """
    risks = {str(coverage): risk_at(wrong, confidence, coverage) for coverage in COVERAGES}
    found = named_estimates(risks | {"area": area_under_risk(wrong, confidence)}, patients, **draws)
    falling = np.sort(confidence)[::-1]
    points = []
    for coverage in COVERAGES:
        films = int(np.ceil(coverage * len(wrong) - _ROUNDING))
        point = {"coverage": coverage, "films": films, "confidence": float(falling[films - 1])}
        points.append(point | {"risk": found[str(coverage)]})
    return {"area": found["area"], "points": points}


def _walk(ranking: Ranking, wrong: Booleans, weights: Floats) -> tuple[Floats, Floats]:
    """Return the films kept and the errors among them before the first step and after each, (replicates, steps + 1)."""
    everything = np.ones(len(wrong), dtype=bool)
    films, errors = (ranking.cumulative(weights, among) for among in (everything, wrong))
    nothing = np.zeros((len(weights), 1))
    return np.concatenate([nothing, films], axis=1), np.concatenate([nothing, errors], axis=1)
