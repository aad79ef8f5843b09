from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError, DataError
from tests.unit.engine.finite_differences import numerical_gradient, relative_error
from tests.unit.engine.networks import dense, residual_network, small_cnn, two_depths
from wetread.engine.layers.dropout import Dropout
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("training", [False, True])
def test_gradients_of_a_whole_network_are_those_of_finite_differences(seed: int, training: bool) -> None:
    rng = np.random.default_rng(seed)
    network = Network(residual_network(6, dropout=0.0), seed=seed, dtype=np.float64)
    X, labels = rng.normal(size=(4, 6, 6, 1)), rng.integers(0, 3, 4)
    loss = SoftmaxCrossEntropy(class_weights=(0.5, 1.0, 2.0), label_smoothing=0.1)

    def value() -> float:
        return loss(network.forward(X, training=training), labels)[0]

    dX = network.backward(loss(network.forward(X, training=training), labels)[1], to_input=True)
    found = {name: gradient.copy() for name, gradient in network.gradients().items()}
    assert dX is not None
    assert relative_error(dX, numerical_gradient(value, X)) < 1e-6
    whole = numerical_gradient(value, network.parameter_vector)
    assert relative_error(network.gradient_vector, whole) < 1e-6
    for name, weight in network.parameters().items():
        # A bias before a batch norm changes nothing in training: its gradient is rounding alone.
        if not (training and name == "separable/bias"):
            assert relative_error(found[name], numerical_gradient(value, weight)) < 1e-6, name


def test_gradients_of_joined_branches_are_those_of_finite_differences() -> None:
    """What one layer gives to two readers comes back to it from both, each its own channels."""
    rng = np.random.default_rng(0)
    network = Network(two_depths(), seed=0, dtype=np.float64)
    X, labels, loss = rng.normal(size=(3, 10, 12, 2)), rng.integers(0, 3, 3), SoftmaxCrossEntropy()

    def value() -> float:
        return loss(network.forward(X, training=True), labels)[0]

    network.backward(loss(network.forward(X, training=True), labels)[1])
    found = network.gradient_vector.copy()
    assert relative_error(found, numerical_gradient(value, network.parameter_vector)) < 1e-6


def test_the_gradients_of_dropout_are_those_of_the_places_it_kept() -> None:
    network = Network(residual_network(6, dropout=0.5), seed=1, dtype=np.float64)
    rng = np.random.default_rng(1)
    X, labels, loss = rng.normal(size=(4, 6, 6, 1)), rng.integers(0, 3, 4), SoftmaxCrossEntropy()
    (dropout,) = (node.layer for node in network.nodes if isinstance(node.layer, Dropout))
    start = dropout.generator.bit_generator.state

    def value() -> float:
        dropout.generator.bit_generator.state = start
        return loss(network.forward(X, training=True), labels)[0]

    dropout.generator.bit_generator.state = start
    network.backward(loss(network.forward(X, training=True), labels)[1])
    assert value() != loss(network.forward(X), labels)[0]
    found = network.gradient_vector.copy()
    assert relative_error(found, numerical_gradient(value, network.parameter_vector)) < 1e-6


def test_a_layer_that_nobody_reads_gets_no_gradient() -> None:
    body = small_cnn()
    unread = dataclasses.replace(body, layers=(*body.layers[:-1], dense("unread", 4), body.layers[-1]))
    unread = dataclasses.replace(
        unread, layers=(*unread.layers[:-1], dataclasses.replace(body.layers[-1], inputs=("relu2",)))
    )
    network = Network(unread)
    network.gradient_vector.fill(7)
    logits = network.forward(np.ones((2, 10, 10, 1)), training=True)
    network.backward(np.ones_like(logits))
    gradients = network.gradients()
    assert not gradients["unread/kernel"].any()
    assert gradients["hidden/kernel"].any()


def test_weights_come_back_as_they_were_given_in_the_layout_of_the_artefact() -> None:
    network = Network(residual_network(), seed=3)
    weights = network.weights()
    assert weights["conv1/kernel"].shape == (3, 3, 1, 4)
    assert weights["norm1/moving_variance"].shape == (4,)
    assert weights["separable/depthwise_kernel"].shape == (3, 3, 4, 1)
    assert weights["separable/pointwise_kernel"].shape == (1, 1, 4, 5)
    assert weights["depthwise/kernel"].shape == (2, 2, 5, 2)
    assert weights["depthwise/bias"].shape == (10,)
    assert weights["hidden/kernel"].shape == (40, 6)
    again = Network(residual_network(), weights, seed=4)
    X = np.random.default_rng(0).random((3, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(again.forward(X), network.forward(X))


def test_the_weights_that_are_handed_out_are_copies() -> None:
    network = Network(small_cnn())
    weights = network.weights()
    network.parameter_vector += 1
    assert not np.array_equal(weights["conv/kernel"], network.weights()["conv/kernel"])


def test_first_weights_are_glorot_uniform_and_biases_zero() -> None:
    weights = Network(Architecture((40, 40, 3), (LayerSpec("flatten", "flat"), dense("wide", 300)))).weights()
    limit = np.sqrt(6 / (4800 + 300))
    kernel = weights["wide/kernel"]
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)
    assert not weights["wide/bias"].any()


def test_a_seed_is_a_network() -> None:
    same, other = Network(residual_network(), seed=5), Network(residual_network(), seed=6)
    np.testing.assert_array_equal(Network(residual_network(), seed=5).parameter_vector, same.parameter_vector)
    assert not np.array_equal(same.parameter_vector, other.parameter_vector)


def test_summary_names_layers_shapes_and_parameters() -> None:
    lines = Network(residual_network()).summary().splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters"]
    assert lines[1].split() == ["conv1", "conv2d", "8x8x4", "36"]
    assert lines[2].split() == ["norm1", "batch_norm", "8x8x4", "16"]
    assert lines[-1] == "598 parameters, 580 of them trained"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("conv/bias"), "missing: conv/bias"),
        (lambda w: w.update({"extra/kernel": np.zeros(3)}), "no weights extra/kernel"),
        (lambda w: w.update({"hidden/kernel": np.zeros((3, 3))}), r"hidden/kernel.*\(96, 16\).*\(3, 3\)"),
    ],
)
def test_weights_of_another_network_are_refused_and_change_nothing(
    change: Callable[[dict[str, np.ndarray]], object], message: str
) -> None:
    network = Network(small_cnn())
    before = network.parameter_vector.copy()
    weights = {name: weight + 1 for name, weight in network.weights().items()}
    change(weights)
    with pytest.raises(ArtefactError, match=message):
        network.load(weights)
    np.testing.assert_array_equal(network.parameter_vector, before)


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(n, 10, 10, 1\), found \(2, 9, 10, 1\)"):
        Network(small_cnn()).forward(np.zeros((2, 9, 10, 1)))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (LayerSpec("dense", "d", {"units": "many", "use_bias": True}), "'d'.*units"),
        (LayerSpec("dense", "d", {"units": 0, "use_bias": True}), "1 or more"),
        (LayerSpec("batch_norm", "d", {"epsilon": "small", "momentum": 0.9}), "epsilon"),
        (LayerSpec("dropout", "d", {"rate": 1.5}), "rate"),
        (LayerSpec("max_pool2d", "d", {"pool_size": [9, 9], "strides": [1, 1], "padding": "valid"}), "at least"),
        (LayerSpec("max_pool2d", "d", {"pool_size": [2], "strides": [1, 1], "padding": "valid"}), "pair"),
        (LayerSpec("max_pool2d", "d", {"pool_size": [2, 2], "strides": [1, 0], "padding": "valid"}), "1 or more"),
        (LayerSpec("max_pool2d", "d", {"pool_size": [2, 2], "strides": [1, 1], "padding": "full"}), "same"),
    ],
)
def test_a_layer_that_cannot_be_is_refused_by_name(layer: LayerSpec, message: str) -> None:
    with pytest.raises(ArtefactError, match=message):
        Network(Architecture((8, 8, 1), (layer,)))


def test_branches_of_different_shapes_cannot_be_added() -> None:
    layers = (dense("a", 2), dense("b", 3), LayerSpec("add", "sum", {}, ("a", "b")))
    with pytest.raises(ArtefactError, match="sum"):
        Network(Architecture((4, 4, 1), layers))
