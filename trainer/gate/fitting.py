"""Fits the input gate (`wetread.models.gate`) on a model's own films and on pictures that are not films.

The weights tell the training films, also as other hands would have exported them, from the same films turned,
inverted or cut, and from drawings. The threshold is set on the validation films. The network's own features
are left out: measured, they call most films of a hospital that the training did not see strange.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from trainer.data.pixels import Films
from trainer.gate.film_variants import HANDLED, SPOILED, Change
from trainer.gate.non_films import NON_FILMS, draw_non_film
from trainer.statistics.figures import Floats
from trainer.statistics.logistic import fit_weighted_logistic
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.resize import resize
from wetread.models.gate import Gate, patterns_of

SIDE = 12
"""Cells of the thumbnail's side."""
FLOOR = 15.0
"""Grey levels added to a thumbnail's deviation."""
RIDGE = 0.03
"""Of the logistic regression. Weaker ones refused more films of a hospital left out of the fit."""
FALSE_REJECTIONS = 0.005
"""Share of the validation films, in all the forms of HANDLED, that the threshold may refuse."""

_FILMS = 400
"""Training films that are taken, at most."""
_BATCH = 64
_DIGITS = 6


def fit_gate(preprocess: Preprocess, training: Films, validation: Films) -> Gate:
    """Return a gate fitted on grey levels as `preprocess` leaves them, (n, height, width) each.

    Its score is the log odds that a picture is no film, each kind of non-films counting the same and all of
    them as much as the films. The threshold is the score that FALSE_REJECTIONS of the validation films, in all
    forms, exceed, but at least even odds: where films and the rest lie far apart, what lies between them passes.
    """
    chosen = training[np.unique(np.linspace(0, len(training) - 1, min(_FILMS, len(training))).astype(int))]
    floor = FLOOR / 255 / preprocess.std
    films = [_patterns(preprocess, changed, floor) for _, changed in changed_films(chosen, HANDLED)]
    drawings = drawn(preprocess, count=min(60, max(8, len(chosen) // 5)))
    others = [_patterns(preprocess, changed, floor) for _, changed in changed_films(chosen, SPOILED)]
    others += [_patterns(preprocess, pictures, floor) for pictures in drawings.values()]
    shares = [_shares(films, 0.5), *(_shares([kind], 0.5 / len(others)) for kind in others)]
    inputs = np.concatenate(films + others)
    positive = np.arange(len(inputs)) >= sum(map(len, films))
    weights, bias = fit_weighted_logistic(inputs, positive, np.concatenate(shares), RIDGE)
    gate = Gate(
        side=SIDE,
        floor=floor,
        weights=tuple(np.round(weights, _DIGITS).tolist()),
        bias=round(bias, _DIGITS),
        threshold=0.0,
    )
    scores = np.concatenate([gate_scores(gate, preprocess, form) for _, form in changed_films(validation, HANDLED)])
    highest = float(np.quantile(scores, 1 - FALSE_REJECTIONS, method="higher"))
    return replace(gate, threshold=round(max(0.0, highest) + 10**-_DIGITS, _DIGITS))


def gate_scores(gate: Gate, preprocess: Preprocess, films: Films) -> Floats:
    """Return the scores (n,) of grey levels (n, height, width)."""
    parts = [
        gate.score(preprocess.scaled(films[start : start + _BATCH])[..., np.newaxis])
        for start in range(0, len(films), _BATCH)
    ]
    return np.concatenate(parts)


def changed_films(films: Films, changes: Mapping[str, Change]) -> Iterator[tuple[str, Films]]:
    """Yield each kind of `changes` with all of `films`, (n, height, width), changed so.

    They are changed after the preprocessing, not before, so that no file is read again; measured, what the gate
    refuses differs by less than a film in a hundred.
    """
    height, width = films.shape[1:]
    for kind, change in changes.items():
        yield kind, np.stack([resize(np.ascontiguousarray(change(levels)), height, width) for levels in films])


@lru_cache(maxsize=4)
def drawn(preprocess: Preprocess, *, count: int, first: int = 0) -> Mapping[str, Films]:
    """Return kind -> `count` drawings of each of NON_FILMS, preprocessed; their seeds count on from `first`."""
    return {
        kind: np.stack([preprocess.levels(draw_non_film(kind, first + number)) for number in range(count)])
        for kind in NON_FILMS
    }


def _patterns(preprocess: Preprocess, films: Films, floor: float) -> Floats:
    return patterns_of(preprocess.scaled(films)[..., np.newaxis], SIDE, floor)


def _shares(parts: list[Floats], whole: float) -> Floats:
    """Return equal shares of `whole`, one for each row of `parts`."""
    count = sum(map(len, parts))
    return np.full(count, whole / count)
