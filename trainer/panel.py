"""The shortcut panel: how well a small network does without the lungs.

The same small network is trained on the same patients, on the whole film and on films from which what disease shows
in is taken away: the middle 60% of each side blacked out, the border alone, a thumbnail of 16x16. What it reaches there
comes from marks, frames, body shapes and the look of a collection, and only what a model reaches above it can have
come from the lungs (Maguolo and Nanni 2021, "A critic evaluation of methods for COVID-19 automatic detection from X-ray
images", blacked the lungs out so).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from trainer.architectures import make_architecture
from trainer.paired import differences
from trainer.parts import overall, within_source
from trainer.pixels import Films
from trainer.reading import Readings, read_by_weights
from trainer.recipe import Recipe
from trainer.training import LabelledFilms, Report, train
from wetread.imaging.opencv import cv2

ARCH = "cnn"
SIZE = 64
EPOCHS = 30
MIDDLE = 0.6
"""Share of each side that is blacked out; 36% of the film."""
BORDER = 0.1
"""Share of each side that the border takes at either end."""
THUMBNAIL = 16


def whole(films: Films) -> Films:
    """Return films (n, size, size) as they are."""
    return films


def without_middle(films: Films) -> Films:
    """Return the films with their middle black."""
    seen, (rows, columns) = films.copy(), _inside(films, (1 - MIDDLE) / 2)
    seen[:, rows, columns] = 0
    return seen


def border_alone(films: Films) -> Films:
    """Return the films with all but their border black."""
    seen, (rows, columns) = films.copy(), _inside(films, BORDER)
    seen[:, rows, columns] = 0
    return seen


def thumbnail(films: Films) -> Films:
    """Return the films averaged down to 16x16, each pixel drawn large."""
    size = (films.shape[2], films.shape[1])
    small = (cv2.resize(film, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA) for film in films)
    return np.stack([cv2.resize(film, size, interpolation=cv2.INTER_NEAREST) for film in small]).astype(np.uint8)


WHOLE = "the whole film"
VIEWS: Mapping[str, Callable[[Films], Films]] = MappingProxyType(
    {
        WHOLE: whole,
        "the middle 60% blacked out": without_middle,
        "the border alone": border_alone,
        "a 16x16 thumbnail": thumbnail,
    }
)
"""What the small network is shown."""


@dataclass(frozen=True)
class Panel:
    """What the small network says of the shown side's films, view by view.

    size, epochs: of the small network.
    """

    size: int
    epochs: int
    readings: Mapping[str, Readings]

    def to_json(self, model: Readings, **draws: int) -> dict[str, Any]:
        """Return each view's figures, and how far `model`, on the same films, is above them, paired by patient."""
        views = {}
        for view, seen in self.readings.items():
            above = differences(model, seen, **draws)
            views[view] = {
                **overall(seen, **draws),
                "within_source": within_source(seen, **draws),
                "model_above": {name: above[name] for name in ("accuracy", "balanced_accuracy", "macro_auroc")},
            }
        return {"arch": ARCH, "size": self.size, "epochs": self.epochs, "views": views}


def make_panel(
    recipe: Recipe,
    training: LabelledFilms,
    shown: LabelledFilms,
    readings: Readings,
    report: Callable[[str], Report] | None = None,
) -> Panel:
    """Train the small network once a view, with the recipe's settings but for the epochs.

    training: the films that it learns from; shown: those that it is judged on, whose films, labels and order are those
    of `readings`. report: view -> what is called as its training goes on.
    """
    size = min(SIZE, recipe.size)
    preprocess = replace(recipe.preprocess, height=size, width=size)
    architecture = make_architecture(ARCH, len(readings.labels), size=size)
    options = replace(recipe.options, epochs=min(EPOCHS, recipe.options.epochs), patience=None)
    seen = {}
    for view, of in VIEWS.items():
        learned, judged = (of(_reduced(side.films, size)) for side in (training, shown))
        told = None if report is None else report(view)
        trained = train(architecture, preprocess, LabelledFilms(learned, training.targets), None, options, told)
        logits = read_by_weights(architecture, trained.weights, preprocess, judged)
        seen[view] = replace(readings, logits=logits, temperature=1.0, said=None)
    return Panel(size, options.epochs, MappingProxyType(seen))


def _inside(films: Films, margin: float) -> tuple[slice, slice]:
    height, width = films.shape[1:]
    rows, columns = round(height * margin), round(width * margin)
    return slice(rows, height - rows), slice(columns, width - columns)


def _reduced(films: Films, size: int) -> Films:
    if films.shape[1:] == (size, size):
        return films
    return np.stack([cv2.resize(film, (size, size), interpolation=cv2.INTER_AREA) for film in films]).astype(np.uint8)
