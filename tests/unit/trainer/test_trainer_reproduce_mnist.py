from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer.studies.digits
import trainer.studies.reproduce_mnist
from schemas.errors import DataError, UsageError
from trainer.studies.digit_networks import digit_cnn, digit_dnn
from trainer.studies.digits import Digits, find_mnist, load_digits
from trainer.studies.mnist_study import CNN, DNN, ROWS, Row, Study
from trainer.studies.reproduce_mnist import reproduce_mnist
from trainer.training.lesson import LabelledFilms
from wetread.engine.network import Network
from wetread.engine.optimizers.build import OPTIMIZERS

REAL = Path(__file__).parents[4] / "shared" / "data" / "mnist" / "mnist.npz"


def stripes(count: int, seed: int, side: int = 14) -> LabelledFilms:
    """Images with a bright row, which tells the digit."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 60, (count, side, side), dtype=np.uint8)
    digits = np.arange(count) % 5
    for image, digit in zip(images, digits, strict=True):
        image[digit * side // 5 + 1] = 250
    return LabelledFilms(images, digits.astype(np.int64))


DIGITS = Digits(stripes(80, 1), stripes(40, 2))


def written(path: Path, **arrays: Any) -> bytes:
    np.savez(path, **arrays)
    return os.fsencode(path)


def like_mnist(path: Path, each: int = 6) -> bytes:
    train, test = stripes(each * 5, 3, 28), stripes(25, 4, 28)
    # Digits that are not among the study's are there as well.
    others = np.full((4, 28, 28), 9, np.uint8)
    x = np.concatenate([others, train.films])
    y = np.concatenate([np.full(4, 7), train.targets]).astype(np.uint8)
    return written(path, x_train=x, y_train=y, x_test=test.films, y_test=test.targets.astype(np.uint8))


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    monkeypatch.setattr(Row, "installed", property(lambda row: row.needs not in modules))


def test_the_first_images_of_each_digit_are_taken_and_reduced_by_area(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer.studies.digits, "TRAINING_IMAGES", 4)
    path = like_mnist(tmp_path / "mnist.npz")
    digits = load_digits(path)
    with np.load(path) as arrays:
        images, labels = arrays["x_train"], arrays["y_train"]
    chosen = [index for digit in range(5) for index in np.flatnonzero(labels == digit)[:4]]
    assert np.bincount(digits.training.targets).tolist() == [4] * 5
    assert digits.training.targets.tolist() == labels[sorted(chosen)].tolist()
    means = images[sorted(chosen)].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    assert np.abs(digits.training.films - means).max() <= 0.5
    assert len(digits.test.films) == 25 and digits.test.films.dtype == np.uint8
    assert load_digits(path).digest == digits.digest


@pytest.mark.data
def test_the_studys_digits_are_ten_thousand_and_5139() -> None:
    if not REAL.exists():
        pytest.skip("../shared/data/mnist is absent")
    digits = load_digits(os.fsencode(REAL))
    assert np.bincount(digits.training.targets).tolist() == [2000] * 5
    assert digits.training.films.shape == (10000, 14, 14) and digits.test.films.shape == (5139, 14, 14)


class Sentinel:
    """Unpickling it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


def test_nothing_in_the_file_is_unpickled(tmp_path: Path) -> None:
    trap = np.array([Sentinel(tmp_path / "ran")], dtype=object)
    path = written(tmp_path / "trap.npz", x_train=trap, y_train=trap, x_test=trap, y_test=trap)
    with pytest.raises(DataError, match=r"trap\.npz: expected an \.npz file of plain arrays"):
        load_digits(path)
    np.save(tmp_path / "bare.npy", trap)
    with pytest.raises(DataError, match=r"bare\.npy"):
        load_digits(os.fsencode(tmp_path / "bare.npy"))
    assert not (tmp_path / "ran").exists()


def test_data_that_is_not_mnist_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer.studies.digits, "TRAINING_IMAGES", 3)
    image = stripes(10, 1, 28)
    (tmp_path / "text.npz").write_text("no archive")
    np.save(tmp_path / "one.npy", image.films)
    arrays = {"x_train": image.films, "y_train": image.targets, "x_test": image.films, "y_test": image.targets}
    for name, changed, message in (
        ("short", {}, r"3 or more images of digit 0, found 2"),
        ("wrong", {"x_train": image.films[:, :14]}, r"expected images \(n, 28, 28\)"),
        ("unlike", {"y_train": image.targets[:3]}, r"expected images \(n, 28, 28\)"),
    ):
        with pytest.raises(DataError, match=message):
            load_digits(written(tmp_path / f"{name}.npz", **(arrays | changed)))
    with pytest.raises(DataError, match="missing: y_train, x_test, y_test"):
        load_digits(written(tmp_path / "part.npz", x_train=image.films))
    for path in ("text.npz", "one.npy"):
        with pytest.raises(DataError, match=path):
            load_digits(os.fsencode(tmp_path / path))


def test_mnist_is_found_where_it_is_named_or_in_kerass_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        trainer.studies.digits, "__file__", str(tmp_path / "repository" / "trainer" / "studies" / "digits.py")
    )
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(DataError, match=r"(?s)shared/data/mnist/mnist\.npz or .*keras/datasets/mnist\.npz.*--data"):
        find_mnist()
    cached = tmp_path / "keras" / "datasets" / "mnist.npz"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"")
    assert find_mnist() == os.fsencode(cached)
    beside = tmp_path / "shared" / "data" / "mnist" / "mnist.npz"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"")
    assert find_mnist() == os.fsencode(beside)
    assert find_mnist(os.fsencode(cached)) == os.fsencode(cached)
    with pytest.raises(DataError, match=r"gone\.npz: expected MNIST"):
        find_mnist(b"gone.npz")


def test_the_networks_are_the_papers() -> None:
    kinds = [[layer.kind for layer in network().layers] for network in (digit_dnn, digit_cnn)]
    assert kinds[0] == ["flatten", "dense", "relu", "dense"]
    assert kinds[1] == ["conv2d", "relu", "max_pool2d", *kinds[0]]
    sizes = [sum(array.size for array in Network(network()).weights().values()) for network in (digit_dnn, digit_cnn)]
    assert sizes == [25_861, 37_717]


def figures(study: Study) -> dict[tuple[str, str], list[float]]:
    return {key: trial.accuracies for key, trial in study.trials.items()}


def test_mean_and_spread_are_over_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch", "tensorflow")
    study = reproduce_mnist(DIGITS, ("sgd", "adam"), seeds=3, epochs=4)
    assert set(study.trials) == {(row, optimizer) for row in (DNN, CNN) for optimizer in ("sgd", "adam")}
    trial = study.trials[DNN, "sgd"]
    losses = [history.loss[-1] for history in trial.histories.values()]
    assert len(set(losses)) == 3, "each seed is another training"
    assert trial.mean == pytest.approx(np.mean(trial.accuracies))
    assert trial.spread == pytest.approx(statistics.stdev(trial.accuracies))
    best = study.best(ROWS[0])
    assert best is not None and best.mean == max(study.trials[DNN, name].mean for name in ("sgd", "adam"))
    body = study.to_json()
    assert [row["installed"] for row in body["rows"]] == [True, True, False, False]
    assert [row["paper"] for row in body["rows"]] == [0.9628, 0.8644, 0.9624, 0.9528]
    assert body["rows"][0]["target"]["accuracy"] == 0.98
    assert figures(reproduce_mnist(DIGITS, ("sgd", "adam"), seeds=3, epochs=4)) == figures(study)


def test_a_killed_study_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch", "tensorflow")
    whole, folder, said = reproduce_mnist(DIGITS, ("sgd",), seeds=2, epochs=1), os.fsencode(tmp_path), []

    def killed(done: int, count: int, last: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce_mnist(DIGITS, ("sgd",), seeds=2, epochs=1, folder=folder, done=killed)
    left = []
    fit = trainer.studies.reproduce_mnist._fit
    monkeypatch.setattr(
        trainer.studies.reproduce_mnist, "_fit", lambda row, lesson: left.append(row.name) or fit(row, lesson)
    )
    again = reproduce_mnist(
        DIGITS, ("sgd",), seeds=2, epochs=1, folder=folder, done=lambda done, count, last: said.append((done, count))
    )
    assert left == [CNN] and said == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert figures(again) == figures(whole)


@pytest.mark.parametrize("wrong", [{"optimizers": ()}, {"seeds": 0}, {"epochs": 0}])
def test_a_study_of_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        reproduce_mnist(DIGITS, **({"optimizers": ("sgd",)} | wrong))


@pytest.mark.keras
def test_the_twin_in_tensorflow_takes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    without(monkeypatch, "torch")
    study = reproduce_mnist(DIGITS, ("rmsprop", "adam"), seeds=1, epochs=2)
    for optimizer in study.optimizers:
        own, twin = (study.trials[name, optimizer].histories[0] for name in (CNN, "CNN in TensorFlow"))
        assert twin.loss == pytest.approx(own.loss, rel=1e-3)
        assert study.difference(ROWS[3], optimizer) == pytest.approx(
            100 * (twin.val_accuracy[-1] - own.val_accuracy[-1])
        )


def test_the_twin_in_pytorch_takes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    without(monkeypatch, "tensorflow")
    study = reproduce_mnist(DIGITS, tuple(OPTIMIZERS), seeds=1, epochs=2, threads=1)
    for optimizer in study.optimizers:
        own, twin = (study.trials[name, optimizer].histories[0] for name in (DNN, "DNN in PyTorch"))
        assert twin.loss == pytest.approx(own.loss, rel=0.02 if optimizer == "rmsprop" else 1e-3)
