"""The shortcut panel finds a label that the border gives away, and a model that is above it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainer.data.film import Film
from trainer.data.pixels import Films
from trainer.evaluation.reading import Readings
from trainer.shortcuts import views as panel_views
from trainer.shortcuts.panel import make_panel, panel_of, pooled_panel
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.lesson import LabelledFilms
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe

SIZE = 32
LABELS = ("sick", "well")
RECIPE = Recipe(
    name="spots",
    size=SIZE,
    options=TrainingOptions(engine="numpy", epochs=12, batch_size=8, learning_rate=0.01, augmentation=NO_AUGMENTATION),
)


def draw(mark: tuple[slice, slice], count: int, seed: int) -> LabelledFilms:
    """Grey noise; half of the films are sick, which `mark` shows."""
    films = np.random.default_rng(seed).integers(60, 140, (count, SIZE, SIZE), dtype=np.uint8)
    targets = np.arange(count, dtype=np.int64) % 2
    films[(targets == 0, *mark)] = 230
    return LabelledFilms(films, targets)


def perfect(shown: LabelledFilms) -> Readings:
    """Readings of a model that is always right."""
    films = tuple(Film(b"%d.png" % n, LABELS[t], f"p{n}") for n, t in enumerate(shown.targets))
    return Readings(films, LABELS, 5.0 * np.eye(2)[shown.targets])


def accuracies(mark: tuple[slice, slice]) -> dict[str, dict[str, float]]:
    training, shown = draw(mark, 64, 0), draw(mark, 40, 1)
    readings = perfect(shown)
    made = make_panel(RECIPE, training, shown, readings).to_json(readings, replicates=50)
    return {
        view: {"accuracy": of["accuracy"]["value"], "gap": of["model_above"]["accuracy"]["value"]}
        for view, of in made["views"].items()
    }


def test_a_label_in_the_middle_is_lost_to_all_but_the_whole_and_the_thumbnail() -> None:
    found = accuracies((slice(12, 20), slice(12, 20)))
    assert found[panel_views.WHOLE]["accuracy"] > 0.9
    assert found["a 16x16 thumbnail"]["accuracy"] > 0.9
    for view in ("the middle 60% blacked out", "the border alone"):
        assert found[view]["accuracy"] < 0.75
        assert found[view]["gap"] == pytest.approx(1 - found[view]["accuracy"])


def test_a_label_that_the_border_gives_away_is_found_there() -> None:
    found = accuracies((slice(0, 3), slice(0, 3)))
    assert found["the border alone"]["accuracy"] > 0.9
    assert found["the border alone"]["gap"] < 0.1


def test_what_is_taken_away_is_black_and_the_rest_as_it_was() -> None:
    films: Films = np.random.default_rng(0).integers(1, 256, (3, 100, 100), dtype=np.uint8)
    hollow, frame = panel_views.without_middle(films), panel_views.border_alone(films)
    assert not hollow[:, 20:80, 20:80].any() and (hollow[:, :20] == films[:, :20]).all()
    assert not frame[:, 10:90, 10:90].any() and (frame[:, :, 90:] == films[:, :, 90:]).all()
    assert (films > 0).all()


def test_a_thumbnail_knows_only_16_by_16_means() -> None:
    films: Films = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    seen = panel_views.thumbnail(films)
    assert seen.shape == films.shape
    assert all(len(np.unique(seen[0, row : row + 4, :4])) == 1 for row in range(0, 64, 4))
    assert seen[1, 0, 0] == pytest.approx(films[1, :4, :4].mean(), abs=0.51)


def test_the_small_network_is_no_larger_than_the_model() -> None:
    training, shown = draw((slice(0, 3), slice(0, 3)), 16, 0), draw((slice(0, 3), slice(0, 3)), 8, 1)
    made = make_panel(RECIPE, training, shown, perfect(shown))
    assert (made.size, made.epochs) == (SIZE, 12)


def test_a_panel_is_the_same_again_from_what_a_ledger_keeps() -> None:
    training, shown = draw((slice(0, 3), slice(0, 3)), 16, 0), draw((slice(0, 3), slice(0, 3)), 8, 1)
    readings = perfect(shown)
    made = make_panel(RECIPE, training, shown, readings)
    kept = json.loads(json.dumps(made.to_record()))
    assert panel_of(kept, readings).to_json(readings, replicates=20) == made.to_json(readings, replicates=20)


def test_folds_are_pooled_film_by_film() -> None:
    training, shown = draw((slice(0, 3), slice(0, 3)), 16, 0), draw((slice(0, 3), slice(0, 3)), 8, 1)
    readings = perfect(shown)
    parts = [readings.part(range(5)), readings.part(range(5, 8))]
    made = make_panel(RECIPE, training, shown, readings)
    views = made.to_record()["logits"].items()
    panels = [
        panel_of(made.to_record() | {"logits": {view: of[start:end] for view, of in views}}, part)
        for part, (start, end) in zip(parts, ((0, 5), (5, 8)), strict=True)
    ]
    assert pooled_panel(panels).to_json(readings, replicates=20) == made.to_json(readings, replicates=20)
