"""The shortcut panel: how well a small network does without the lungs.

The same small network is trained on the same patients, on the whole film and on films from which what disease shows
in is taken away: the middle 60% of each side blacked out, the border alone, a thumbnail of 16x16. What it reaches there
comes from marks, frames, body shapes and the look of a collection, and only what a model reaches above it can have
come from the lungs (Maguolo and Nanni 2021, "A critic evaluation of methods for COVID-19 automatic detection from X-ray
images", blacked the lungs out so).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from trainer.data.pixels import Films
from trainer.evaluation.paired import differences
from trainer.evaluation.parts import overall, within_source
from trainer.evaluation.reading import Readings, pooled, read_by_weights
from trainer.shortcuts.views import VIEWS
from trainer.statistics.figures import Floats
from trainer.training.architectures import make_architecture
from trainer.training.lesson import LabelledFilms, Report
from trainer.training.recipe import Recipe
from trainer.training.train import train
from wetread.imaging.opencv import cv2

ARCH = "cnn"
SIZE = 64
EPOCHS = 30

PanelReport = Callable[[str], Report | None]
"""View -> what is called as the training on it goes on."""


@dataclass(frozen=True)
class Panel:
    """What the small network says of the shown side's films, view by view.

    size, epochs: of the small network.
    """

    size: int
    epochs: int
    readings: Mapping[str, Readings]
    arch: str = ARCH

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
        return {"arch": self.arch, "size": self.size, "epochs": self.epochs, "views": views}

    def alone_to_json(self, **draws: int) -> dict[str, Any]:
        """Return each view's figures alone, where no one model is set against them."""
        views = {view: overall(seen, **draws) for view, seen in self.readings.items()}
        return {"arch": ARCH, "size": self.size, "epochs": self.epochs, "views": views}

    def to_record(self) -> dict[str, Any]:
        """Return what a ledger keeps of it: all that its trainings were needed for."""
        logits = {view: seen.logits.tolist() for view, seen in self.readings.items()}
        return {"size": self.size, "epochs": self.epochs, "logits": logits}


def panel_of(record: Mapping[str, Any], readings: Readings) -> Panel:
    """Return the panel in what `to_record` made; readings: a model's, of the same films."""
    logits = {view: np.array(of, dtype=np.float64) for view, of in record["logits"].items()}
    return _panel(record["size"], record["epochs"], logits, readings)


def pooled_panel(panels: Sequence[Panel]) -> Panel:
    """Return the panels of several folds, made by one recipe, as one of all their films, in the folds' order."""
    views = {view: pooled([panel.readings[view] for panel in panels]) for view in panels[0].readings}
    return replace(panels[0], readings=MappingProxyType(views))


def make_panel(
    recipe: Recipe,
    training: LabelledFilms,
    shown: LabelledFilms,
    readings: Readings,
    report: PanelReport | None = None,
) -> Panel:
    """Train the small network once a view, with the recipe's settings but for the epochs.

    training: the films that it learns from; shown: those that it is judged on, whose films, labels and order are those
    of `readings`.
    """
    size = min(SIZE, recipe.size)
    preprocess = replace(recipe.preprocess, height=size, width=size)
    architecture = make_architecture(ARCH, len(readings.labels), size=size)
    options = replace(recipe.options, epochs=min(EPOCHS, recipe.options.epochs), patience=None)
    logits = {}
    for view, of in VIEWS.items():
        learned, judged = (of(_reduced(side.films, size)) for side in (training, shown))
        told = None if report is None else report(view)
        trained = train(architecture, preprocess, LabelledFilms(learned, training.targets), None, options, told)
        logits[view] = read_by_weights(architecture, trained.weights, preprocess, judged)
    return _panel(size, options.epochs, logits, readings)


def _panel(size: int, epochs: int, logits: Mapping[str, Floats], readings: Readings) -> Panel:
    seen = {view: replace(readings, logits=of, temperature=1.0, said=None) for view, of in logits.items()}
    return Panel(size, epochs, MappingProxyType(seen))


def _reduced(films: Films, size: int) -> Films:
    if films.shape[1:] == (size, size):
        return films
    return np.stack([cv2.resize(film, (size, size), interpolation=cv2.INTER_AREA) for film in films]).astype(np.uint8)
