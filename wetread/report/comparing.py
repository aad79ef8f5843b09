"""Compares a run's scores and inputs with those of earlier runs, or with the model's own validation."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from schemas.errors import ArtefactError, UsageError
from wetread.report.drift import Bin, Drift, equal_mass_edges, grouped, ks_distance, measured
from wetread.settings import Settings
from wetread.store.models.registrations import Registration
from wetread.store.results.histograms import FINE_BINS, Measure, Spread

CONFIDENCE = Measure("probability of the label given", 0.0, 1.0)
"""What a model's validation is known by."""

INPUTS = (
    Measure("mean grey level", 0.0, 255.0, "grey_mean"),
    Measure("contrast", 0.0, 128.0, "grey_deviation"),
    Measure("gate score", -16.0, 16.0, "gate_score"),
)
"""What films are compared by, as the network sees them: no pixel is read again."""


def label_scores(labels: Sequence[str]) -> tuple[Measure, ...]:
    """Return what scores are compared by: the probability of each label."""
    return tuple(Measure(f"probability of {label}", 0.0, 1.0, label=place) for place, label in enumerate(labels))


def drift_from_earlier(measure: Measure, of: str, spread: Spread) -> Drift:
    """Return the drift of the run's films from those of the earlier runs."""
    edges = equal_mass_edges(spread.earlier) if spread.earlier else []
    places = [0, *edges, FINE_BINS]
    counts = zip(pairwise(places), grouped(spread.run, edges), grouped(spread.earlier, edges), strict=True)
    bins = [Bin(measure.edge(low), measure.edge(high), films, before) for (low, high), films, before in counts]
    both = bool(spread.run and spread.earlier)
    return measured(measure.name, of, bins, ks=ks_distance(spread.run, spread.earlier) if both else None)


def drift_from_validation(spread: Spread, reference: Sequence[tuple[float, int]]) -> Drift:
    """Return the drift of the run's confidence from that of the model's validation films.

    reference: (mean confidence, films) of each bin of the validation, ascending; bins part half way between means.
    """
    edges = sorted({round((low + high) / 2 * FINE_BINS) for (low, _), (high, _) in pairwise(reference)})
    counts = zip(
        pairwise([0, *edges, FINE_BINS]), grouped(spread.run, edges), grouped(_summed(reference), edges), strict=True
    )
    bins = [Bin(CONFIDENCE.edge(low), CONFIDENCE.edge(high), films, before) for (low, high), films, before in counts]
    return measured(CONFIDENCE.name, "scores", bins)


def _summed(reference: Sequence[tuple[float, int]]) -> dict[int, int]:
    fine: dict[int, int] = {}
    for mean, films in reference:
        place = min(int(mean * FINE_BINS), FINE_BINS - 1)
        fine[place] = fine.get(place, 0) + films
    return fine


def validation_scores(settings: Settings, registration: Registration) -> list[tuple[float, int]]:
    """Return (mean confidence, films) of each bin of the model's validation; empty where they cannot be had here."""
    from wetread.models.artefact import CARD_FILE, JSON_BYTES_LIMIT, read_document
    from wetread.models.card import decode_card
    from wetread.models.files import read_file
    from wetread.models.folder import ModelsFolder

    try:
        directory = ModelsFolder(os.path.abspath(settings.models_directory)).locate(registration)
        card, _ = decode_card(read_file(directory, CARD_FILE, JSON_BYTES_LIMIT))
        metrics: Any = json.loads(read_document(directory, card, "metrics.json"))
        bins = [(float(one["confidence"]), int(one["n"])) for one in metrics["validation"]["reliability"]]
    except (UsageError, ArtefactError, KeyError, TypeError, ValueError):
        return []
    return sorted(bins)
