"""An evaluation as a table of films: a row a film, with what is known of it, to look at the errors."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.predictions import UNCERTAIN
from trainer.evaluation.reading import Readings

DIGITS = 6
"""Of a probability."""


def film_columns(readings: Readings) -> tuple[str, ...]:
    """Return the columns of `film_rows`: the film, what it is, what was said, and the attributes that the data has."""
    probabilities = tuple(f"probability_{label}" for label in readings.labels)
    known = ("path", "patient_id", "label", "predicted", "correct", "decision", *probabilities)
    return (*known, *(name for name in _attributes(readings) if name not in known))


def film_rows(readings: Readings) -> Iterator[tuple[object, ...]]:
    """Yield a row a film. decision: the predicted label where the model is sure enough of it, else `uncertain`."""
    attributes = film_columns(readings)[6 + len(readings.labels) :]
    for index, (film, shares) in enumerate(zip(readings.films, readings.probabilities, strict=True)):
        predicted = readings.labels[int(shares.argmax())]
        sure = readings.said is None or bool(readings.said[index])
        yield (
            film.name,
            film.patient_id,
            film.label,
            predicted,
            predicted == film.label,
            predicted if sure else UNCERTAIN,
            *(round(float(share), DIGITS) for share in shares),
            *(film.attributes.get(name, "") for name in attributes),
        )


def _attributes(readings: Readings) -> list[str]:
    return list(dict.fromkeys(name for film in readings.films for name in film.attributes))
