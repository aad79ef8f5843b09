"""Operating points: the sensitivity at a stated specificity, and its threshold.

A film is called by a label when the label's probability is at least the threshold, whatever the other labels'
are. A threshold is a probability that some film has: films of one probability are called together or not at
all, nothing is interpolated, and the specificity on these films is at least the stated one. Among the thresholds
that keep it, the one of the best sensitivity is taken; among equals the highest, which calls the fewest other
films. Where none finds a film of the label, there is no threshold, and no film is called.

The threshold is chosen on the films that it is judged by. Two kinds of interval say what that means:

- sensitivity: the threshold is chosen anew in every draw of the bootstrap, so that the interval is of the model at
  this specificity, wherever its threshold may lie (`ci.se` of pROC; Robin et al. 2011, BMC Bioinformatics 12:77);
- at_threshold: the threshold stays the same in every draw (pROC's `ci.thresholds`), so that the intervals are of
  what this very threshold does: on other patients its specificity can be lower than the stated one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.statistics.figures import Booleans, Figure, Floats, ratio, share
from trainer.statistics.intervals import named_estimates
from trainer.statistics.predictive_values import negative_predictive_value, positive_predictive_value
from trainer.statistics.ranking import Ranking

SPECIFICITY = 0.95
"""The specificity of operating points, where nobody states another."""
_ROUNDING = 1e-9
"""1 - 0.9 of 10 films is 0.9999999999999998 in floating point, and one film is allowed."""


def threshold_at(positive: Booleans, scores: Floats, specificity: float) -> float | None:
    """Return the threshold, chosen as the module says; None where no threshold qualifies.

    positive: whether each film has the label, (n,). scores: the label's probability, (n,).
    """
    ranking = Ranking(scores)
    hits = _hits(ranking, positive, specificity, np.ones((1, len(scores))))[0]
    # The first of the best: steps fall, so it is the highest threshold.
    return float(ranking.scores[np.argmax(hits)]) if hits.any() else None


def sensitivity_at(positive: Booleans, scores: Floats, specificity: float) -> Figure:
    """Return the sensitivity at the threshold that is chosen, anew for each row of weights, as the module says."""
    ranking = Ranking(scores)

    def figure(weights: Floats) -> Floats:
        best = _hits(ranking, positive, specificity, weights).max(axis=1, initial=0.0)
        negatives = weights @ (~positive).astype(np.float64)
        return np.where(negatives > 0, ratio(best, weights @ positive.astype(np.float64)), np.nan)

    return figure


def operating_point(
    positive: Booleans,
    scores: Floats,
    patients: Sequence[str],
    *,
    specificity: float,
    prevalence: float,
    **draws: int,
) -> dict[str, Any]:
    """Return a label's threshold and figures as `trainer.evaluation.evaluation.evaluate` gives them.

    patients: of each film. prevalence: of the label, for the predictive values.
    """
    threshold = threshold_at(positive, scores, specificity)
    called = np.zeros(len(scores), dtype=bool) if threshold is None else scores >= threshold
    found, spared = share(called, positive), share(~called, ~positive)
    at_threshold = {
        "sensitivity": found,
        "specificity": spared,
        "ppv": positive_predictive_value(found, spared, prevalence),
        "npv": negative_predictive_value(found, spared, prevalence),
    }
    anew = {"anew": sensitivity_at(positive, scores, specificity)}
    figures = named_estimates(anew | at_threshold, patients, **draws)
    return {"threshold": threshold, "sensitivity": figures.pop("anew"), "at_threshold": figures}


def _hits(ranking: Ranking, positive: Booleans, specificity: float, weights: Floats) -> Floats:
    """Return the weight of the label's films from each step up, (replicates, steps); 0 where too many others are."""
    others = ranking.cumulative(weights, ~positive)
    allowed = (1.0 - specificity) * others[:, -1:] + _ROUNDING
    return np.where(others <= allowed, ranking.cumulative(weights, positive), 0.0)
