from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle

pytest.importorskip("matplotlib")

from trainer.data.film import Film
from trainer.evaluation.files import evaluation_files
from trainer.evaluation.plots import confusion_plot, history_plot, roc_plot, roc_points
from trainer.evaluation.plots_confidence import reliability_plot, risk_coverage_plot
from trainer.evaluation.plots_panel import shortcuts_plot
from trainer.evaluation.reading import Readings
from wetread.engine.history import History
from wetread.imaging.opencv import cv2


def picture(data: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels


def readings(labels: tuple[str, ...]) -> Readings:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, len(labels), 80)
    films = tuple(Film(b"x.png", labels[target], f"p{number}") for number, target in enumerate(truth))
    return Readings(films, labels, generator.normal(size=(80, len(labels))) + 1.5 * np.eye(len(labels))[truth])


def test_the_history_shows_both_sides_and_the_epoch_that_was_kept() -> None:
    history = History([1.0, 0.6, 0.4], [0.4, 0.7, 0.8], [1.1, 0.9, 1.0], [0.4, 0.6, 0.6], [1.0] * 3)
    alone = History(history.loss, history.accuracy, [], [], history.seconds)
    whole = picture(history_plot(history, best_epoch=2))
    assert whole.shape[0] > 350 and whole.shape[1] > 900
    for colour, present in (((0, 0x5E, 0xD5), True), ((0xB2, 0x72, 0), True)):  # blue, green, red
        assert bool((whole == colour).all(axis=2).any()) is present
    assert not (picture(history_plot(alone)) == (0, 0x5E, 0xD5)).all(axis=2).any()


def test_equal_figures_are_equal_bytes() -> None:
    history = History([1.0], [0.4], [], [], [1.0])
    assert history_plot(history) == history_plot(history)


def test_an_evaluation_is_drawn_for_any_number_of_labels() -> None:
    for labels in (("sick", "well"), ("covid", "normal", "pneumonia"), tuple(f"finding-{n}" for n in range(14))):
        for plot in (confusion_plot, roc_plot, reliability_plot, risk_coverage_plot):
            assert picture(plot(readings(labels))).shape[0] > 300


def test_an_evaluation_is_drawn_where_it_has_one_film_or_one_label() -> None:
    every = readings(("sick", "well"))
    one_label = every.part([number for number, film in enumerate(every.films) if film.label == "sick"])
    for few in (one_label, every.part([0])):
        for plot in (confusion_plot, roc_plot, reliability_plot, risk_coverage_plot):
            assert picture(plot(few)).shape[0] > 300


def test_reliability_before_the_temperature_is_drawn_where_it_differs() -> None:
    orange = (0x00, 0x9F, 0xE6)  # blue, green, red
    cool = readings(("sick", "well"))
    warm = replace(cool, temperature=2.0)
    assert not (picture(reliability_plot(cool)) == orange).all(axis=2).any()
    assert (picture(reliability_plot(warm)) == orange).all(axis=2).any()


def test_the_shortcut_panel_is_drawn_with_a_bar_as_long_as_each_accuracy() -> None:
    def drawn(model: float, border: float) -> np.ndarray:
        figures = {"accuracy": {"value": model, "low": model, "high": model}, "labels": {"a": {"n": 3}, "b": {"n": 1}}}
        seen = {"accuracy": {"value": border, "low": border, "high": border}}
        return picture(shortcuts_plot({"views": {"the border alone": seen}}, figures))

    def length(of: np.ndarray, colour: tuple[int, int, int]) -> int:
        return int((of == colour).all(axis=2).sum(axis=1).max())

    blue, orange = (0xB2, 0x72, 0x00), (0x00, 0x9F, 0xE6)
    high, low = drawn(0.9, 0.3), drawn(0.45, 0.6)
    assert length(high, blue) == pytest.approx(2 * length(low, blue), rel=0.1)
    assert length(low, orange) > length(high, orange) > 30


def test_the_files_of_an_evaluation_are_its_figures_and_its_plots() -> None:
    files = evaluation_files("evaluation.json", {"n": 3, "model": "größe"}, readings(("sick", "well")), title="x")
    assert json.loads(files["evaluation.json"]) == {"n": 3, "model": "größe"}
    assert set(files) == {"evaluation.json", "confusion.png", "roc.png", "reliability.png", "risk-coverage.png"}


def test_the_roc_curve_is_scikit_learns() -> None:
    generator = np.random.default_rng(3)
    positive = generator.random(60) < 0.4
    scores = generator.integers(0, 12, 60) / 12
    false_positives, true_positives, _ = oracle.roc_curve(positive, scores, drop_intermediate=False)
    found = roc_points(positive, scores)
    assert found[0] == pytest.approx(false_positives) and found[1] == pytest.approx(true_positives)
