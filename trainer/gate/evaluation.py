"""How good an input gate is: how many films it refuses wrongly, and how many other pictures it refuses rightly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from trainer.data.pixels import Films
from trainer.data.side import Side
from trainer.gate.film_variants import HANDLED, SPOILED
from trainer.gate.fitting import changed_films, drawn, fit_gate, gate_scores
from trainer.statistics.figures import Booleans, Figure, Floats, auroc, mean_of, share
from trainer.statistics.intervals import REPLICATES, named_estimates
from wetread.imaging.preprocess import Preprocess
from wetread.models.gate import Gate

_FIRST_SEED = 1_000_000
"""Of the drawings that a gate is judged by: none that it was fitted on."""


def make_gate(
    preprocess: Preprocess, training: Films, validation: Films, judged: Films, patients: Sequence[str], side: Side
) -> tuple[Gate, dict[str, Any]]:
    """Return a gate fitted on training and validation films, and its figures on `judged`, which are of `side`."""
    gate = fit_gate(preprocess, training, validation)
    return gate, {"side": side.value} | evaluate_gate(gate, preprocess, judged, patients)


def evaluate_gate(
    gate: Gate,
    preprocess: Preprocess,
    films: Films,
    patients: Sequence[str],
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> dict[str, Any]:
    """Return a gate's figures on `films`, (n, height, width) grey levels, of `patients`, (n,).

    false_rejection: share of the films refused. handled: the same of the films in each form of HANDLED.
    kinds: of each kind of non-films the AUROC against the films as they are, and the share `refused`; the
    kinds of SPOILED are made of these films, the others are drawn. auroc, refused: the means over the kinds.
    All are {"value", "low", "high"}, by bootstrap over patients; a drawing is a patient of its own.
    """
    drawings = drawn(preprocess, count=min(40, max(8, len(films) // 4)), first=_FIRST_SEED)
    parts = [("films", gate_scores(gate, preprocess, films))]
    parts += [
        (kind, gate_scores(gate, preprocess, form)) for kind, form in changed_films(films, {**HANDLED, **SPOILED})
    ]
    owners = [list(patients)] * len(parts)
    parts += [(kind, gate_scores(gate, preprocess, pictures)) for kind, pictures in drawings.items()]
    owners += [[f"drawing {kind} {number}" for number in range(len(of))] for kind, of in drawings.items()]
    kind_of = np.repeat([kind for kind, _ in parts], [len(scores) for _, scores in parts])
    scores = np.concatenate([scores for _, scores in parts])
    kinds = (*SPOILED, *drawings)
    areas = {kind: _among(kind_of, scores, kind) for kind in kinds}
    refused = {name: share(scores > gate.threshold, kind_of == name) for name, _ in parts}
    figures = {"false_rejection": refused["films"]}
    figures |= {"auroc": mean_of(list(areas.values())), "refused": mean_of([refused[kind] for kind in kinds])}
    figures |= {f"auroc {kind}": area for kind, area in areas.items()}
    figures |= {f"refused {name}": refused[name] for name in (*HANDLED, *kinds)}
    found = named_estimates(figures, list(chain.from_iterable(owners)), seed=seed, replicates=replicates)
    return {
        "n": len(films),
        "patients": len(set(patients)),
        "threshold": gate.threshold,
        **{name: found[name] for name in ("auroc", "refused", "false_rejection")},
        "handled": {name: found[f"refused {name}"] for name in HANDLED},
        "kinds": {
            kind: {
                "n": int((kind_of == kind).sum()),
                "drawn": kind in drawings,
                "auroc": found[f"auroc {kind}"],
                "refused": found[f"refused {kind}"],
            }
            for kind in kinds
        },
        "interval": {"level": 0.95, "method": "bootstrap over patients", "seed": seed, "replicates": replicates},
    }


def _among(kind_of: np.ndarray[Any, np.dtype[np.str_]], scores: Floats, kind: str) -> Figure:
    """Return the AUROC of one kind against the films, as a figure of the weights of all pictures."""
    chosen: Booleans = (kind_of == kind) | (kind_of == "films")
    area = auroc(kind_of[chosen] == kind, scores[chosen])
    return lambda weights: area(weights[:, chosen])
