"""The parts of an evaluation that tell skill from shortcut.

Each source, view and sex alone, and, within each source, each pair of labels against each other: a model that
reads where a film comes from is no better than chance there.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np

from trainer.evaluation.reading import Readings
from trainer.statistics import figures
from trainer.statistics.intervals import named_estimates

LEAST_PATIENTS = 5
"""A part, or a label in a pair, with fewer patients is left out: its figures would be noise."""
UNSTATED = "unstated"


def overall(readings: Readings, **draws: int) -> dict[str, Any]:
    """Return the figures of all labels together. draws: as `trainer.statistics.intervals.estimates` takes them."""
    shares, targets = readings.probabilities, readings.targets
    predicted = shares.argmax(axis=1)
    return named_estimates(
        {
            "accuracy": figures.accuracy(targets, predicted),
            "balanced_accuracy": figures.balanced_accuracy(targets, predicted, len(readings.labels)),
            "macro_auroc": figures.macro_auroc(targets, shares),
        },
        readings.patients,
        **draws,
    )


def by_attribute(readings: Readings, attribute: str, **draws: int) -> dict[str, Any]:
    """Return the figures of the films of each value of `attribute`; empty when no film has one."""
    values = [film.attributes.get(attribute, UNSTATED) for film in readings.films]
    if set(values) == {UNSTATED}:
        return {}
    parts = {}
    for value in sorted(set(values)):
        part = readings.part([index for index, found in enumerate(values) if found == value])
        patients = len(set(part.patients))
        if patients >= LEAST_PATIENTS:
            films = Counter(film.label for film in part.films)
            counts = {"n": len(part.films), "patients": patients, "films": dict(sorted(films.items()))}
            parts[value] = counts | overall(part, **draws)
    return parts


def within_source(readings: Readings, **draws: int) -> dict[str, Any]:
    """Return source -> "label against label" -> figures of these films, told apart by these labels alone."""
    return within(readings, "source", **draws)


def within(readings: Readings, attribute: str, **draws: int) -> dict[str, Any]:
    """Return value of `attribute` -> "label against label" -> figures of these films, told apart by these alone."""
    found: dict[str, Any] = {}
    values = [film.attributes.get(attribute, "") for film in readings.films]
    for source in sorted(set(values)):
        for pair in combinations(range(len(readings.labels)), 2):
            names = [readings.labels[label] for label in pair]
            part = [
                index for index, film in enumerate(readings.films) if values[index] == source and film.label in names
            ]
            films = [readings.films[index] for index in part]
            if min(len({film.person for film in films if film.label == name}) for name in names) < LEAST_PATIENTS:
                continue
            shares = readings.probabilities[part][:, pair]
            targets = (readings.targets[part] == pair[1]).astype(np.int64)
            # P(second label | one of the two): the third label's share says nothing of this question.
            second = shares[:, 1] / shares.sum(axis=1)
            estimates = named_estimates(
                {
                    "auroc": figures.auroc(targets == 1, second),
                    "accuracy": figures.accuracy(targets, (second > 0.5).astype(np.int64)),
                },
                [film.person for film in films],
                **draws,
            )
            counts = {"n": len(films), "patients": len({film.person for film in films})}
            found.setdefault(source or UNSTATED, {})[" against ".join(names)] = counts | estimates
    return found
