from __future__ import annotations

import json

import numpy as np
import pytest

from tests.unit.engine.networks import residual_network
from tests.unit.engine.test_engine_training import Recorder, images
from wetread.engine.array import Array
from wetread.engine.averaging import WeightAverage
from wetread.engine.batches import shuffled
from wetread.engine.callback import Callback, Training
from wetread.engine.checkpoint import Checkpoint
from wetread.engine.early_stopping import EarlyStopping
from wetread.engine.history import History
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.engine.network_learner import evaluate
from wetread.engine.optimizers.build import make_optimizer
from wetread.engine.training import fit


class Steps(Callback):
    """Keeps the network's own weights after every step."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Array]] = []

    def on_batch_end(self, training: Training) -> None:
        self.weights.append(training.learner.weights())


def run(
    average: bool = True, *, patience: int | None = None, resume: Checkpoint | None = None, rate: float = 0.01
) -> tuple[Network, History, Steps, Recorder]:
    X, labels = images()
    network, steps, recorder = Network(residual_network()), Steps(), Recorder()
    history = fit(
        network,
        shuffled(X[:30], labels[:30], batch_size=8),
        epochs=5,
        optimizer=make_optimizer("adam", learning_rate=rate),
        loss=SoftmaxCrossEntropy(),
        validation=(X[30:], labels[30:]),
        callbacks=[
            *([WeightAverage(0.7, network.weights())] if average else []),
            *([] if patience is None else [EarlyStopping(patience=patience)]),
            steps,
            recorder,
        ],
        resume=resume,
    )
    return network, history, steps, recorder


def averaged(steps: list[dict[str, Array]], decay: float) -> dict[str, Array]:
    """The definition, written out: every step's share of the end."""
    first = Network(residual_network()).weights()
    decays = [min(decay, (1 + t) / (10 + t)) for t in range(1, len(steps) + 1)]
    shares = [(1 - d) * float(np.prod(decays[t + 1 :])) for t, d in enumerate(decays)]
    assert sum(shares) + np.prod(decays) == pytest.approx(1)
    return {
        name: np.prod(decays) * first[name].astype(float)
        + sum(share * of_step[name].astype(float) for share, of_step in zip(shares, steps, strict=True))
        for name in first
    }


def test_the_run_ends_with_the_average_of_all_weights_over_the_steps() -> None:
    network, _, steps, _ = run()
    assert len(steps.weights) == 20
    expected = averaged(steps.weights, 0.7)
    assert any(name.endswith("/moving_variance") for name in expected)
    for name, weight in network.weights().items():
        assert weight.dtype == np.float32
        np.testing.assert_allclose(weight, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_averaging_changes_what_is_judged_and_not_the_way() -> None:
    (_, plain, way, _), (_, figures, same_way, _) = run(average=False), run()
    assert plain.loss == figures.loss
    for one, other in zip(way.weights, same_way.weights, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    X, labels = images()
    for epoch in range(5):
        judge = Network(residual_network())
        judge.load({n: a.astype(np.float32) for n, a in averaged(way.weights[: 4 * (epoch + 1)], 0.7).items()})
        assert figures.val_loss[epoch] == pytest.approx(
            evaluate(judge, X[30:], labels[30:], SoftmaxCrossEntropy())[0], rel=1e-4
        )
    assert plain.val_loss != figures.val_loss


def test_early_stopping_keeps_the_best_epochs_average() -> None:
    network, history, steps, _ = run(patience=1, rate=0.2)
    best = int(np.argmin(history.val_loss))
    assert history.epochs == best + 2 < 5
    expected = averaged(steps.weights[: 4 * (best + 1)], 0.7)
    for name, weight in network.weights().items():
        np.testing.assert_allclose(weight, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_resumed_run_goes_on_with_its_average() -> None:
    straight, figures, _, recorder = run()
    saved = recorder.checkpoints[1]
    resumed, same, _, _ = run(resume=Checkpoint(saved.arrays, json.loads(json.dumps(saved.record))))
    assert same.val_loss == figures.val_loss
    for name, weight in straight.weights().items():
        np.testing.assert_array_equal(resumed.weights()[name], weight, err_msg=name)
