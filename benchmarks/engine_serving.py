"""Serving speed of the NumPy engine against Keras, one thread each: `python -m benchmarks.engine_serving`.

ONNX Runtime takes part where `onnx` and `onnxruntime` are installed.

Two networks for 128x128 grey images: four 3x3 convolutions of 16, 32, 64 and 64 filters, each with ReLU and 2x2
max pooling, then dense 64 and 3; and the same with depthwise separable convolutions after the first. Contenders
run in turns; the table gives medians and best times in milliseconds an image, and the median ratio to Keras
within a round. "matrix products" is the time of the first network's products alone, patches gathered for free.
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

BATCH = 32
FILTERS = (16, 32, 64, 64)
WINDOW = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "use_bias": True}


def main() -> None:
    """Print one table a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument(
        "--kernels",
        choices=("chosen", "as-found"),
        default="chosen",
        help="of OpenBLAS: those that a worker chooses, or those that OpenBLAS chooses itself",
    )
    options = parser.parse_args()
    environment = blas_environment(1)
    if options.kernels == "as-found":
        environment.pop("OPENBLAS_CORETYPE", None)
    os.environ.update(environment)  # before NumPy is imported
    print(
        f"OpenBLAS kernels: {environment.get('OPENBLAS_CORETYPE', 'its own choice')}; batch {options.batch}; one thread"
    )
    for kind in ("conv2d", "separable_conv2d"):
        _compare(kind, options.batch, options.rounds)


def _compare(kind: str, batch: int, rounds: int) -> None:
    import numpy as np

    from schemas.architecture import Architecture, LayerSpec
    from wetread.engine.network import Network
    from wetread.engine.serving import ServingNetwork

    layers: list[LayerSpec] = []
    for number, filters in enumerate(FILTERS):
        depth = {"depth_multiplier": 1} if kind == "separable_conv2d" and number else {}
        own_kind = kind if number else "conv2d"
        layers += [
            LayerSpec(own_kind, f"conv{number}", {"filters": filters, **WINDOW, **depth}),
            LayerSpec("relu", f"relu{number}"),
            LayerSpec("max_pool2d", f"pool{number}", {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}),
        ]
    layers += [
        LayerSpec("flatten", "flatten"),
        LayerSpec("dense", "hidden", {"units": 64, "use_bias": True}),
        LayerSpec("relu", "relu"),
        LayerSpec("dense", "logits", {"units": 3, "use_bias": True}),
    ]
    architecture = Architecture((128, 128, 1), tuple(layers))
    network = Network(architecture)
    serving = ServingNetwork(architecture, network.weights())
    X = np.random.default_rng(0).random((batch, 128, 128, 1), np.float32)
    contenders: dict[str, Callable[[], object]] = {
        "engine, serving": lambda: serving.logits(X),
        "engine, training's forward": lambda: network.forward(X),
    }
    if kind == "conv2d":
        contenders["matrix products"] = _products(batch)
    if importlib.util.find_spec("tensorflow"):
        contenders |= _keras(architecture, network, X, serving)
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        contenders["ONNX Runtime"] = _onnx(architecture, network, X, serving)
    seconds = time_in_turns(contenders, rounds)
    print(f"\n{kind:<28} median    best  ms an image   ratio to Keras")
    for name, times in seconds.items():
        per_image = [1e3 * t / batch for t in times]
        against = f"{ratio(seconds, name, 'Keras predict_on_batch'):.2f}" if "Keras predict_on_batch" in seconds else ""
        print(f"{name:<28}{median(per_image):>7.3f} {min(per_image):>7.3f}{against:>25}")


def _products(batch: int) -> Callable[[], object]:
    """Return the products patches · kernel of the four convolutions, in blocks that stay in the cache."""
    import numpy as np

    rng = np.random.default_rng(0)
    block = 1024
    work = []
    for places, inner, filters in ((126**2, 9, 16), (61**2, 144, 32), (28**2, 288, 64), (12**2, 576, 64)):
        patches, kernel = rng.random((block, inner), np.float32), rng.random((inner, filters), np.float32)
        work.append((round(batch * places / block), patches, kernel, np.empty((block, filters), np.float32)))

    def run() -> None:
        for times, patches, kernel, sums in work:
            for _ in range(times):
                np.matmul(patches, kernel, out=sums)

    return run


def _keras(architecture: Any, network: Any, X: Any, serving: Any) -> dict[str, Callable[[], object]]:
    import numpy as np

    from wetread.models.keras_network import build_keras, set_weights
    from wetread.models.keras_runtime import import_keras

    tensorflow, _ = import_keras(threads=1)
    model = build_keras(architecture)
    set_weights(model, architecture, network.weights())
    graph = tensorflow.function(lambda images: model(images, training=False))
    tensor = tensorflow.constant(X)
    difference = float(np.abs(model.predict_on_batch(X) - serving.logits(X)).max())
    print(f"\nlargest difference of a logit from Keras's: {difference:.1e}")
    return {
        "Keras predict_on_batch": lambda: model.predict_on_batch(X),
        "Keras tf.function": lambda: graph(tensor).numpy(),
    }


def _onnx(architecture: Any, network: Any, X: Any, serving: Any) -> Callable[[], object]:
    import numpy as np

    from wetread.models.onnx_graph import INPUT_NAME, LOGITS_NAME, build_onnx
    from wetread.models.onnx_runtime import open_session

    session = open_session(build_onnx(architecture, network.weights()).SerializeToString(), threads=1)

    def read() -> Any:
        return session.run([LOGITS_NAME], {INPUT_NAME: X})[0]

    print(f"largest difference of a logit from ONNX Runtime's: {float(np.abs(read() - serving.logits(X)).max()):.1e}")
    return read


if __name__ == "__main__":
    main()
