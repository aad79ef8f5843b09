"""Where a training's time went, by a clock that only what is measured moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainer.training.architectures import make_architecture
from trainer.training.batches import TrainingBatches
from trainer.training.lesson import LabelledFilms, Progress, make_lesson
from trainer.training.options import TrainingOptions
from trainer.training.timing import fit_timed
from trainer.training.train import fit
from wetread.engine.network_learner import NetworkLearner
from wetread.imaging.preprocess import Preprocess


def test_seconds_are_counted_where_they_were_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def taking(seconds: float, does: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*given: Any, **named: Any) -> Any:
            clock[0] += seconds
            return does(*given, **named)

        return slow

    generator = np.random.default_rng(0)
    films = LabelledFilms(generator.integers(0, 256, (20, 16, 16), dtype=np.uint8), np.arange(20) % 2)
    preprocess = Preprocess(height=16, width=16)
    seen: list[Progress] = []
    options = TrainingOptions(engine="numpy", epochs=3, batch_size=8, seed=1)
    lesson = make_lesson(make_architecture("dnn", 2, size=16), preprocess, films, films, options, seen.append)
    plain = fit(lesson)
    reported = list(seen)
    seen.clear()
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(TrainingBatches, "_changed", taking(0.5, TrainingBatches._changed))
    for name, seconds in (("step", 5.0), ("evaluate", 7.0)):
        monkeypatch.setattr(NetworkLearner, name, taking(seconds, getattr(NetworkLearner, name)))
    trained, spent = fit_timed(lesson)
    assert (spent.batches, spent.steps, spent.evaluation) == (3 * 20 * 0.5, 3 * 3 * 5.0, 3 * 7.0)
    assert seen == reported and trained.best_epoch == plain.best_epoch
    for name, weights in plain.weights.items():
        assert np.array_equal(trained.weights[name], weights), "looking at the clock changes nothing"
