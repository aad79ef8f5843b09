"""The same weights give the same numbers on Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.architecture import Architecture, LayerSpec
from tests.unit.engine.networks import residual_network, two_depths
from wetread.engine.array import Array
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network

pytestmark = pytest.mark.keras
keras = pytest.importorskip("keras")

TOLERANCE = 1e-5
SEPARABLE = {"depth_multiplier": 2, "use_bias": True}
WINDOWS = [
    {"kernel_size": [3, 3], "strides": [1, 1], "padding": "valid"},
    {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same"},
    {"kernel_size": [2, 2], "strides": [2, 2], "padding": "same"},
    {"kernel_size": [5, 5], "strides": [3, 3], "padding": "same"},
    {"kernel_size": [1, 1], "strides": [1, 1], "padding": "valid"},
]
POOLS = [
    {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"},
    {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"},
    {"pool_size": [2, 3], "strides": [1, 1], "padding": "same"},
]
UPSAMPLINGS = [([2, 2], "nearest"), ([2, 3], "bilinear"), ([1, 4], "bilinear")]
LAYERS = [
    *(("conv2d", {"filters": 5, "use_bias": True, **window}) for window in WINDOWS),
    ("conv2d", {"filters": 5, "use_bias": False, "kernel_size": [2, 3], "strides": [1, 1], "padding": "same"}),
    *(("depthwise_conv2d", {**SEPARABLE, **window}) for window in WINDOWS),
    *(("separable_conv2d", {"filters": 4, **SEPARABLE, **window}) for window in WINDOWS),
    *((kind, pool) for kind in ("max_pool2d", "average_pool2d") for pool in POOLS),
    ("global_average_pool2d", {}),
    ("dense", {"units": 6, "use_bias": True}),
    ("flatten", {}),
    ("relu", {}),
    ("relu6", {}),
    *(("upsample2d", {"size": size, "interpolation": how}) for size, how in UPSAMPLINGS),
    ("softmax", {}),
    ("batch_norm", {"epsilon": 1e-3, "momentum": 0.9}),
    ("dropout", {"rate": 0.5}),
]
KERAS_NAMES = {
    "conv2d": "Conv2D",
    "depthwise_conv2d": "DepthwiseConv2D",
    "separable_conv2d": "SeparableConv2D",
    "max_pool2d": "MaxPooling2D",
    "average_pool2d": "AveragePooling2D",
    "global_average_pool2d": "GlobalAveragePooling2D",
    "dense": "Dense",
    "flatten": "Flatten",
    "relu": "ReLU",
    "relu6": "ReLU",
    "upsample2d": "UpSampling2D",
    "concatenate": "Concatenate",
    "softmax": "Softmax",
    "batch_norm": "BatchNormalization",
    "dropout": "Dropout",
    "add": "Add",
}


def keras_model(architecture: Architecture, weights: dict[str, Array]) -> Any:
    tensors = {"": keras.Input(architecture.input_shape)}
    before = ""
    for spec in architecture.layers:
        own = {"max_value": 6.0} if spec.kind == "relu6" else {}
        layer = getattr(keras.layers, KERAS_NAMES[spec.kind])(name=spec.name, **spec.settings, **own)
        taken = [tensors[name] for name in spec.inputs or (before,)]
        tensors[spec.name] = layer(taken if spec.kind in ("add", "concatenate") else taken[0])
        layer.set_weights([weights[f"{spec.name}/{weight.name}"] for weight in layer.weights])
        before = spec.name
    return keras.Model(tensors[""], tensors[before])


def with_random_weights(architecture: Architecture) -> Network:
    """Every weight away from its first value, so that none can be ignored or taken for another."""
    rng = np.random.default_rng(0)
    network = Network(architecture, seed=1)
    network.parameter_vector += rng.uniform(-0.3, 0.3, network.parameter_vector.shape).astype(np.float32)
    for name, moving in network.state().items():
        moving[...] = rng.uniform(*((0.1, 0.5) if name.endswith("variance") else (-0.2, 0.2)), moving.shape)
    return network


@pytest.mark.parametrize(("kind", "settings"), LAYERS, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("shape", [(11, 8, 3), (6, 7, 1)], ids=str)
@pytest.mark.filterwarnings(r"ignore:[\s\S]*softmax over axis:UserWarning")  # of one channel: Keras doubts it
def test_forward_of_each_layer(kind: str, settings: dict[str, Any], shape: tuple[int, int, int]) -> None:
    architecture = Architecture(shape, (LayerSpec(kind, "layer", settings),))
    network = with_random_weights(architecture)
    X = 4 * np.random.default_rng(2).normal(size=(4, *shape)).astype(np.float32)
    expected = keras_model(architecture, network.weights()).predict_on_batch(X)
    np.testing.assert_allclose(network.forward(X), expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_forward_of_a_whole_network_with_branches() -> None:
    network = with_random_weights(residual_network())
    X = np.random.default_rng(2).normal(size=(4, 8, 8, 1)).astype(np.float32)
    expected = keras_model(network.architecture, network.weights()).predict_on_batch(X)
    np.testing.assert_allclose(network.forward(X), expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_forward_of_branches_that_are_joined() -> None:
    network = with_random_weights(two_depths())
    X = 3 * np.random.default_rng(2).normal(size=(4, 10, 12, 2)).astype(np.float32)
    expected = keras_model(network.architecture, network.weights()).predict_on_batch(X)
    np.testing.assert_allclose(network.forward(X), expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_one_step_of_training_changes_all_weights_as_keras_does() -> None:
    """Gradients, batch statistics and loss in one: plain SGD on a network with every trained kind of layer."""
    network = with_random_weights(residual_network(dropout=0.0))
    model = keras_model(network.architecture, network.weights())
    rng = np.random.default_rng(3)
    X, labels = rng.normal(size=(8, 8, 8, 1)).astype(np.float32), rng.integers(0, 3, 8)
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        jit_compile=False,
    )
    class_weights = {0: 0.5, 1: 1.0, 2: 2.0}
    expected_loss = model.train_on_batch(X, np.eye(3)[labels], class_weight=class_weights)
    loss, dlogits = SoftmaxCrossEntropy(tuple(class_weights.values()), 0.1)(network.forward(X, training=True), labels)
    network.backward(dlogits)
    network.parameter_vector -= 0.1 * network.gradient_vector
    assert loss == pytest.approx(float(expected_loss), rel=1e-5)
    after = network.weights()
    for layer in model.layers:
        for weight in layer.weights:
            found = after[f"{layer.name}/{weight.name}"]
            np.testing.assert_allclose(found, weight.numpy(), rtol=1e-4, atol=1e-5, err_msg=weight.path)
