from __future__ import annotations

import json

import numpy as np
import pytest

from schemas.errors import ArtefactError, DataError, UsageError
from tests.unit.engine.networks import residual_network, small_cnn
from wetread.engine.array import Array, Labels
from wetread.engine.batches import shuffled
from wetread.engine.callback import Callback, Training
from wetread.engine.checkpoint import Checkpoint
from wetread.engine.early_stopping import EarlyStopping
from wetread.engine.history import History
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.engine.optimizers.build import OPTIMIZERS, make_optimizer
from wetread.engine.schedules import CosineDecay
from wetread.engine.training import evaluate, fit


def images(n: int = 40, side: int = 8, seed: int = 0) -> tuple[Array, Labels]:
    """Noise with a bright column whose place is the label."""
    rng = np.random.default_rng(seed)
    X, labels = rng.normal(size=(n, side, side, 1)).astype(np.float32), rng.integers(0, 3, n)
    for image, label in zip(X, labels, strict=True):
        image[:, 2 * label + 1] += 2
    return X, labels


class Recorder(Callback):
    """Keeps what it saw, and a checkpoint of every epoch."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int, int]] = []
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.checkpoints: list[Checkpoint] = []

    def on_batch_end(self, training: Training) -> None:
        self.batches.append((training.epoch, training.batch, training.images))
        self.losses.append(training.loss)
        self.rates.append(training.optimizer.learning_rate)

    def on_epoch_end(self, training: Training) -> None:
        self.checkpoints.append(training.checkpoint())


def run(
    epochs: int = 4, *, optimizer: str = "adam", seed: int = 0, resume: Checkpoint | None = None, patience: int = 3
) -> tuple[Network, History, Recorder]:
    X, labels = images()
    network, recorder = Network(residual_network(), seed=seed), Recorder()
    history = fit(
        network,
        shuffled(X[:30], labels[:30], batch_size=8, seed=seed),
        epochs=epochs,
        optimizer=make_optimizer(optimizer),
        loss=SoftmaxCrossEntropy(label_smoothing=0.05),
        validation=(X[30:], labels[30:]),
        callbacks=[EarlyStopping(patience=patience), recorder],
        schedule=CosineDecay(0.01, steps=16, warmup=2),
        resume=resume,
    )
    return network, history, recorder


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_one_batch_is_learnt_by_heart(optimizer: str) -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(16, 10, 10, 1)).astype(np.float32), rng.integers(0, 3, 16)
    network = Network(small_cnn())
    history = fit(
        network,
        shuffled(X, labels, batch_size=16),
        epochs=300,
        optimizer=make_optimizer(optimizer, learning_rate=0.1 if optimizer == "sgd" else 0.01),
        loss=SoftmaxCrossEntropy(),
    )
    assert history.loss[0] > 0.9
    assert history.loss[-1] < 2e-3
    assert history.accuracy[-1] == 1


def test_what_is_learnt_holds_for_images_never_seen() -> None:
    X, labels = images(400)
    network = Network(residual_network())
    history = fit(
        network,
        shuffled(X[:300], labels[:300], batch_size=20),
        epochs=8,
        optimizer=make_optimizer("adam", learning_rate=0.01),
        loss=SoftmaxCrossEntropy(),
        validation=(X[300:], labels[300:]),
    )
    assert history.val_accuracy[-1] > 0.9
    assert history.epochs == len(history.val_loss) == len(history.seconds) == 8


def test_a_seed_gives_the_same_run_twice_and_another_seed_another() -> None:
    (first, figures, _), (second, same, _), (other, _, _) = run(), run(), run(seed=1)
    np.testing.assert_array_equal(first.parameter_vector, second.parameter_vector)
    assert (figures.loss, figures.val_loss) == (same.loss, same.val_loss)
    assert not np.array_equal(first.parameter_vector, other.parameter_vector)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("epochs_before", [1, 3])
def test_a_resumed_run_ends_on_the_same_bits(optimizer: str, epochs_before: int) -> None:
    """The checkpoint goes through what a file would hold: bytes of arrays, and JSON."""
    straight, figures, recorder = run(5, optimizer=optimizer)
    saved = recorder.checkpoints[epochs_before - 1]
    read = Checkpoint(
        {
            name: np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
            for name, array in saved.arrays.items()
        },
        json.loads(json.dumps(saved.record)),
    )
    resumed, same, later = run(5, optimizer=optimizer, resume=read)
    for name, weight in straight.weights().items():
        np.testing.assert_array_equal(resumed.weights()[name], weight, err_msg=name)
    assert (same.loss, same.accuracy, same.val_loss) == (figures.loss, figures.accuracy, figures.val_loss)
    assert later.batches[0][0] == epochs_before


def test_a_resumed_run_remembers_how_long_it_has_waited() -> None:
    def stubborn(resume: Checkpoint | None) -> tuple[Network, History, Recorder]:
        X, labels = images(16)
        network, recorder = Network(small_cnn(8)), Recorder()
        fit_history = fit(
            network,
            shuffled(X, labels, batch_size=8),
            epochs=9,
            optimizer=make_optimizer("sgd", learning_rate=-0.05),  # uphill: the first epoch stays the best
            loss=SoftmaxCrossEntropy(),
            validation=(X, labels),
            callbacks=[EarlyStopping(patience=3), recorder],
            resume=resume,
        )
        return network, fit_history, recorder

    straight, history, recorder = stubborn(None)
    assert history.epochs == 4
    resumed, same, _ = stubborn(recorder.checkpoints[1])
    assert same.val_loss == history.val_loss
    np.testing.assert_array_equal(straight.parameter_vector, resumed.parameter_vector)
    np.testing.assert_array_equal(
        straight.parameter_vector, Network(small_cnn(8), _weights(recorder.checkpoints[0])).parameter_vector
    )


def _weights(checkpoint: Checkpoint) -> dict[str, Array]:
    return {n.removeprefix("weights/"): a for n, a in checkpoint.arrays.items() if n.startswith("weights/")}


def test_a_checkpoint_of_another_optimizer_is_refused() -> None:
    _, _, recorder = run(1)
    with pytest.raises(ArtefactError, match="Adam, found SGD"):
        run(2, optimizer="sgd", resume=recorder.checkpoints[0])


def test_early_stopping_gives_the_best_weights_back() -> None:
    network, history, recorder = run(60, patience=2)
    best = int(np.argmin(history.val_loss))
    assert history.epochs == best + 3 < 60
    for name, weight in _weights(recorder.checkpoints[best]).items():
        np.testing.assert_array_equal(network.weights()[name], weight)


def test_early_stopping_without_validation_says_so() -> None:
    X, labels = images(8)
    with pytest.raises(UsageError, match="give validation data"):
        fit(
            Network(small_cnn(8)),
            shuffled(X, labels, batch_size=8),
            epochs=1,
            optimizer=make_optimizer("sgd"),
            loss=SoftmaxCrossEntropy(),
            callbacks=[EarlyStopping(patience=10)],
        )


def test_early_stopping_waits_for_an_epoch_at_least() -> None:
    with pytest.raises(UsageError, match="1 epoch or more, found 0"):
        EarlyStopping(patience=0)


def test_callbacks_see_every_batch_with_means_of_the_epoch_so_far() -> None:
    _, history, recorder = run(2)
    assert recorder.batches == [(e, b, min(8 * (b + 1), 30)) for e in range(2) for b in range(4)]
    assert [recorder.losses[3], recorder.losses[7]] == history.loss


def test_a_schedule_sets_the_rate_of_every_step() -> None:
    _, _, recorder = run(2)
    schedule = CosineDecay(0.01, steps=16, warmup=2)
    assert recorder.rates == [schedule(step) for step in range(8)]


def test_validation_teaches_nothing() -> None:
    network = Network(residual_network())
    before = network.weights()
    X, labels = images(70)
    value, accuracy = evaluate(network, X, labels, SoftmaxCrossEntropy())
    assert value == pytest.approx(SoftmaxCrossEntropy()(network.forward(X), labels)[0], rel=1e-5)
    assert 0 <= accuracy <= 1
    for name, weight in network.weights().items():
        np.testing.assert_array_equal(weight, before[name])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
def test_a_loss_that_is_no_number_ends_the_run_with_advice() -> None:
    X, labels = images(8)
    X[0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="smaller learning rate"):
        fit(
            Network(small_cnn(8)),
            shuffled(X, labels, batch_size=8),
            epochs=1,
            optimizer=make_optimizer("sgd"),
            loss=SoftmaxCrossEntropy(),
        )


def test_an_epoch_without_batches_is_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        fit(
            Network(small_cnn()),
            lambda _: iter(()),
            epochs=1,
            optimizer=make_optimizer("sgd"),
            loss=SoftmaxCrossEntropy(),
        )


def test_shuffled_batches_hold_every_image_once_in_an_order_of_their_epoch() -> None:
    X, labels = np.arange(10.0)[:, None], np.arange(10)
    batches = shuffled(X, labels, batch_size=4, seed=3)
    orders = [np.concatenate([y for _, y in batches(epoch)]) for epoch in (0, 1, 0)]
    assert [len(y) for _, y in batches(0)] == [4, 4, 2]
    assert sorted(orders[0]) == list(range(10))
    assert list(orders[0]) == list(orders[2]) != list(orders[1])
    assert all((x[:, 0] == y).all() for x, y in batches(5))


@pytest.mark.parametrize(("n", "labels", "size"), [(0, 0, 1), (3, 2, 1), (3, 3, 0)])
def test_batches_of_nothing_are_refused(n: int, labels: int, size: int) -> None:
    with pytest.raises(DataError, match="as many labels as images"):
        shuffled(np.zeros((n, 2)), np.zeros(labels, int), batch_size=size)
