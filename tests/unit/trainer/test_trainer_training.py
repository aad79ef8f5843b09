from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import DataError, UsageError
from trainer.training.architectures import make_architecture
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.lesson import LabelledFilms, Progress, Trained
from trainer.training.options import TrainingOptions
from trainer.training.train import train
from wetread.engine.network import Network
from wetread.engine.optimizers.build import OPTIMIZERS
from wetread.imaging.preprocess import Preprocess

PREPROCESS = Preprocess(height=16, width=16, mean=0.5, std=0.25)
ENGINES = [pytest.param("keras", marks=pytest.mark.keras), "numpy"]


def lesson(films: int, seed: int) -> LabelledFilms:
    """Films with a bright spot in one of three places, which is the label."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(90, 130, (films, 16, 16), dtype=np.uint8)
    targets = np.arange(films) % 3
    for film, target in zip(pixels, targets, strict=True):
        film[3:6, 1 + 5 * target : 5 + 5 * target] = 220
    return LabelledFilms(pixels, targets)


def trained(engine: str, **options: Any) -> tuple[Trained, list[Progress]]:
    if engine == "keras":
        pytest.importorskip("tensorflow")
    seen: list[Progress] = []
    plain = {"epochs": 6, "batch_size": 16, "augmentation": NO_AUGMENTATION, "learning_rate": 0.01, "seed": 4}
    architecture = make_architecture(options.pop("arch", "cnn"), 3, size=16, width=8)
    result = train(
        architecture,
        PREPROCESS,
        options.pop("training", lesson(90, 1)),
        options.pop("validation", lesson(30, 2)),
        TrainingOptions(engine=engine, **(plain | options)),
        seen.append,
    )
    return result, seen


@pytest.mark.parametrize("engine", ENGINES)
def test_training_learns_and_reports_every_batch_and_epoch(engine: str) -> None:
    result, seen = trained(engine)
    history = result.history
    assert history.val_accuracy[-1] > 0.9 and history.loss[-1] < history.loss[0]
    assert history.epochs == result.best_epoch == 6 and len(history.val_loss) == len(history.seconds) == 6
    steps = [(at.epoch, at.batch) for at in seen if at.val_loss is None]
    assert steps == [(epoch, batch) for epoch in range(1, 7) for batch in range(1, 7)]
    assert [at.val_loss for at in seen if at.val_loss is not None] == history.val_loss
    assert [at.accuracy for at in seen if at.val_loss is not None] == pytest.approx(history.accuracy)
    assert {(at.epochs, at.batches) for at in seen} == {(6, 6)}


@pytest.mark.parametrize("engine", ENGINES)
def test_one_seed_gives_one_model(engine: str) -> None:
    first, again, other = (trained(engine, epochs=2, seed=seed)[0] for seed in (1, 1, 2))
    assert all(np.array_equal(first.weights[name], again.weights[name]) for name in first.weights)
    assert first.history.loss == again.history.loss
    assert not np.array_equal(first.weights["conv1/kernel"], other.weights["conv1/kernel"])


@pytest.mark.keras
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_both_engines_take_the_same_way(optimizer: str) -> None:
    # Without dropout, which each engine draws for itself; a handful of steps, before rounding grows.
    options = {"optimizer": optimizer, "epochs": 2, "learning_rate": None, "label_smoothing": 0.1}
    keras, numpy = (trained(engine, arch="cnn", **options)[0] for engine in ("keras", "numpy"))
    architecture = make_architecture("cnn", 3, size=16, width=8)
    assert set(keras.weights) == set(numpy.weights) == set(Network(architecture).weights())
    assert keras.history.loss == pytest.approx(numpy.history.loss, rel=2e-3)
    assert keras.history.val_loss == pytest.approx(numpy.history.val_loss, rel=2e-3)


@pytest.mark.keras
@pytest.mark.parametrize("patience", [None, 2])
def test_both_engines_average_the_weights_alike(patience: int | None) -> None:
    options = {"optimizer": "sgd", "epochs": 3, "learning_rate": 0.02, "average": 0.9, "patience": patience}
    keras, numpy = (trained(engine, **options)[0] for engine in ("keras", "numpy"))
    plain = trained("numpy", **(options | {"average": None}))[0]
    assert keras.best_epoch == numpy.best_epoch
    assert keras.history.val_loss == pytest.approx(numpy.history.val_loss, abs=1e-5)
    assert max(float(abs(keras.weights[name] - numpy.weights[name]).max()) for name in numpy.weights) < 1e-5
    assert max(float(abs(plain.weights[name] - numpy.weights[name]).max()) for name in numpy.weights) > 1e-3


@pytest.mark.parametrize("engine", ENGINES)
def test_the_average_is_what_is_validated_and_kept(engine: str) -> None:
    result, _ = trained(engine, average=0.9)
    films = lesson(30, 2)
    network = Network(make_architecture("cnn", 3, size=16, width=8), result.weights)
    right = network.forward(PREPROCESS.scaled(films.films)[..., None]).argmax(axis=1) == films.targets
    assert right.mean() == pytest.approx(result.history.val_accuracy[-1])
    assert not np.allclose(result.weights["conv1/kernel"], trained(engine)[0].weights["conv1/kernel"], atol=1e-4)


@pytest.fixture(autouse=True)
def without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.architectures.DROPOUT", 0.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_early_stopping_gives_the_weights_of_the_best_epoch(engine: str) -> None:
    # Validation labels are wrong: the better it learns, the higher their loss.
    films = lesson(30, 2)
    wrong = LabelledFilms(films.films, (films.targets + 1) % 3)
    result, _ = trained(engine, epochs=30, patience=3, validation=wrong, schedule="constant")
    val_loss = result.history.val_loss
    assert len(val_loss) < 30
    assert result.best_epoch == int(np.argmin(val_loss)) + 1 == len(val_loss) - 3
    network = Network(make_architecture("cnn", 3, size=16, width=8), result.weights)
    logits = network.forward(PREPROCESS.scaled(films.films)[..., None])
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    smooth = 0.95 * np.eye(3)[wrong.targets] + 0.05 / 3
    assert -(smooth * log_shares).sum(axis=1).mean() == pytest.approx(min(val_loss), rel=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rare_label_counts_as_much_as_a_common_one(engine: str) -> None:
    films = lesson(90, 1)
    keep = np.concatenate([np.flatnonzero(films.targets != 2), np.flatnonzero(films.targets == 2)[:3]])
    noise = np.random.default_rng(3).integers(0, 256, (len(keep), 16, 16), dtype=np.uint8)
    blind = LabelledFilms(noise, films.targets[keep])
    shares = []
    for class_weights in (True, False):
        result, _ = trained(engine, arch="dnn", training=blind, validation=None, class_weights=class_weights, epochs=1)
        logits = Network(make_architecture("dnn", 3, size=16, width=8), result.weights).forward(
            PREPROCESS.scaled(noise)[..., None]
        )
        shares.append(float(np.mean(logits.argmax(axis=1) == 2)))
    assert shares[0] > shares[1]


def test_an_exploding_loss_ends_training_with_advice() -> None:
    with np.errstate(all="ignore"), pytest.raises(DataError, match="smaller learning rate"):
        trained("numpy", arch="dnn", learning_rate=1e30, optimizer="sgd", schedule="constant")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "torch"}, "keras, numpy"),
        ({"optimizer": "lion"}, "rmsprop, sgd, adadelta, adagrad, adam"),
        ({"schedule": "steps"}, "cosine, constant"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": -1.0}, "learning rate"),
        ({"average": 1.0}, "below 1, such as 0.995, found 1"),
        ({"average": 0.0}, "above 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainingOptions(**options)


def test_early_stopping_needs_validation_films() -> None:
    with pytest.raises(DataError, match="validation films"):
        trained("numpy", validation=None, patience=3)


def test_the_cosine_schedule_rises_then_falls_to_nothing() -> None:
    rate = TrainingOptions(epochs=10, learning_rate=0.01).rate_of(batches=20)
    rates = [rate(step) for step in range(200)]
    assert rates[0] > 0 and max(rates) == pytest.approx(0.01)
    assert rates.index(max(rates)) == 9
    assert rates[9:] == sorted(rates[9:], reverse=True) and rates[-1] < 1e-5
    assert TrainingOptions(optimizer="sgd", schedule="constant").rate_of(5)(100) == 0.01
