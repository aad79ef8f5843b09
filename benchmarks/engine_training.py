"""Training speed of the NumPy engine against Keras and the paper's loops: `python -m benchmarks.engine_training`.

The paper's two networks on 14x14 images of five digits, batches of 32, plain SGD: a DNN (dense 128, ReLU, dense 5)
and a CNN (8 3x3 filters, ReLU, 2x2 max pooling, dense 128, ReLU, dense 5). An epoch of each contender in turns, on
the same images; one thread each; PyTorch too where it is installed. The loops train the CNN on 100 images a turn.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.interleaved import ratio, time_in_turns
from wetread.engine.blas import blas_environment

IMAGES = 4000
LOOP_IMAGES = 100
BATCH = 32
LEARNING_RATE = 0.05
CLASSES = 5


def main() -> None:
    """Print one table a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    environment = blas_environment(1)
    os.environ.update(environment)  # before NumPy is imported
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"OpenBLAS kernels: {environment.get('OPENBLAS_CORETYPE', 'its own choice')}; batch {BATCH}; one thread")
    for name in ("DNN", "CNN"):
        _compare(name, options.rounds)


def _compare(name: str, rounds: int) -> None:
    import numpy as np

    from wetread.engine.batches import shuffled
    from wetread.engine.loss import SoftmaxCrossEntropy
    from wetread.engine.network import Network
    from wetread.engine.optimizers.sgd import SGD
    from wetread.engine.training import fit

    rng = np.random.default_rng(0)
    X = rng.random((IMAGES, 14, 14, 1), np.float32)
    labels = rng.integers(0, CLASSES, IMAGES)
    network, optimizer, loss = Network(_architecture(name)), SGD(LEARNING_RATE), SoftmaxCrossEntropy()
    batches = shuffled(X, labels, batch_size=BATCH)
    contenders: dict[str, Callable[[], object]] = {
        "engine": lambda: fit(network, batches, epochs=1, optimizer=optimizer, loss=loss)
    }
    if importlib.util.find_spec("tensorflow"):
        contenders["Keras fit"] = _keras(name, X, labels)
    if importlib.util.find_spec("torch"):
        contenders["PyTorch"] = _torch(name, X, labels)
    images = dict.fromkeys(contenders, IMAGES)
    if name == "CNN":
        contenders["loops, as in the paper"] = _loops(X, labels)
        images["loops, as in the paper"] = LOOP_IMAGES
    seconds = {
        contender: [t / images[contender] for t in times]
        for contender, times in time_in_turns(contenders, rounds).items()
    }
    print(f"\n{name:<26} median    best  images/s   engine is faster by")
    for contender, times in seconds.items():
        faster = f"{1 / ratio(seconds, 'engine', contender):.1f}x"
        print(f"{contender:<24}{1 / median(times):>9,.0f}{1 / min(times):>9,.0f}{faster:>24}")


def _architecture(name: str) -> Any:
    from schemas.architecture import Architecture, LayerSpec

    window = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "use_bias": True}
    convolution = (
        LayerSpec("conv2d", "convolution", {"filters": 8, **window}),
        LayerSpec("relu", "relu1"),
        LayerSpec("max_pool2d", "pool", {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}),
    )
    dense = (
        LayerSpec("flatten", "flatten"),
        LayerSpec("dense", "hidden", {"units": 128, "use_bias": True}),
        LayerSpec("relu", "relu2"),
        LayerSpec("dense", "logits", {"units": CLASSES, "use_bias": True}),
    )
    return Architecture((14, 14, 1), (convolution if name == "CNN" else ()) + dense)


def _keras(name: str, X: Any, labels: Any) -> Callable[[], object]:
    from wetread.models.keras_network import build_keras
    from wetread.models.keras_runtime import import_keras

    _, keras = import_keras(threads=1)
    model = build_keras(_architecture(name), seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(LEARNING_RATE), loss, metrics=["accuracy"])
    return lambda: model.fit(X, labels, batch_size=BATCH, epochs=1, verbose=0)


def _torch(name: str, X: Any, labels: Any) -> Callable[[], object]:
    import torch  # an optional contender, not a dependency

    torch.set_num_threads(1)
    layers = [torch.nn.Flatten(), torch.nn.LazyLinear(128), torch.nn.ReLU(), torch.nn.Linear(128, CLASSES)]
    if name == "CNN":
        layers = [torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), *layers]
    model = torch.nn.Sequential(*layers)
    images, targets = torch.from_numpy(X.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels)
    model(images[:2])
    optimizer, loss = torch.optim.SGD(model.parameters(), LEARNING_RATE), torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        order = torch.randperm(len(images))
        for start in range(0, len(images), BATCH):
            chosen = order[start : start + BATCH]
            optimizer.zero_grad()
            loss(model(images[chosen]), targets[chosen]).backward()
            optimizer.step()

    return epoch


def _loops(X: Any, labels: Any) -> Callable[[], object]:
    from benchmarks.paper_loops import LoopCNN

    network = LoopCNN(14, filters=8, hidden=128, classes=CLASSES)

    def some() -> None:
        for image, label in zip(X[:LOOP_IMAGES, :, :, 0], labels[:LOOP_IMAGES], strict=True):
            network.train_on(image, int(label), LEARNING_RATE)

    return some


if __name__ == "__main__":
    main()
