from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.errors import ArtefactError
from tests.unit.engine.finite_differences import numerical_gradient, relative_error
from wetread.engine.array import Array, Shape
from wetread.engine.layers.average_pool2d import AveragePool2D
from wetread.engine.layers.batch_norm import BatchNorm
from wetread.engine.layers.conv2d import Conv2D
from wetread.engine.layers.dense import Dense
from wetread.engine.layers.depthwise_conv2d import DepthwiseConv2D
from wetread.engine.layers.flatten import Flatten
from wetread.engine.layers.global_average_pool2d import GlobalAveragePool2D
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.max_pool2d import MaxPool2D
from wetread.engine.layers.relu import ReLU
from wetread.engine.layers.relu6 import ReLU6
from wetread.engine.layers.separable_conv2d import SeparableConv2D
from wetread.engine.layers.softmax import Softmax
from wetread.engine.layers.upsample2d import Upsample2D

TOLERANCE = 1e-6
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
all_strides = st.just((1, 1)) | pairs  # convolutions with stride 1 are computed in another way
paddings = st.sampled_from(["same", "valid"])
maps = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))
seeds = st.integers(0, 2**31)
few = settings(deadline=None, max_examples=60)


def distinct(shape: Shape, rng: np.random.Generator) -> Array:
    """Values at least 0.01 apart and 0.005 from zero: a finite step crosses no maximum and no kink."""
    count = int(np.prod(shape))
    return ((rng.permutation(count) - count // 2 + 0.5) / 100).reshape(shape)


def check(layer: Layer, shape: Shape, seed: int, *, n: int = 2, training: bool = False) -> None:
    """Hold all gradients of L = Σ R Y, R random, to finite differences."""
    rng = np.random.default_rng(seed)
    try:
        layer.build(shape, rng, np.float64)
    except ArtefactError:
        assume(False)  # no window fits so small a map
    for name, weight in layer.parameters.items():
        weight[...] = rng.uniform(0.5, 1.5, weight.shape) if name == "gamma" else rng.normal(size=weight.shape)
    X = distinct((n, *shape), rng)
    R = rng.normal(size=(n, *layer.output_shape))

    def loss() -> float:
        return float((R * layer.forward(X, training=training)).sum())

    loss()
    dX = layer.backward(R).copy()
    gradients = {name: gradient.copy() for name, gradient in layer.gradients.items()}
    assert relative_error(dX, numerical_gradient(loss, X)) < TOLERANCE
    for name, weight in layer.parameters.items():
        assert relative_error(gradients[name], numerical_gradient(loss, weight)) < TOLERANCE, name


@few
@given(maps, st.integers(1, 4), pairs, all_strides, paddings, st.booleans(), seeds)
def test_conv2d(
    shape: Shape,
    filters: int,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    use_bias: bool,
    seed: int,
) -> None:
    check(Conv2D(filters, kernel, strides, padding, use_bias), shape, seed)


@few
@given(maps, pairs, all_strides, paddings, st.integers(1, 2), st.booleans(), seeds)
def test_depthwise_conv2d(
    shape: Shape,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    multiplier: int,
    use_bias: bool,
    seed: int,
) -> None:
    check(DepthwiseConv2D(kernel, strides, padding, multiplier, use_bias), shape, seed)


@few
@given(maps, st.integers(1, 3), pairs, all_strides, paddings, st.integers(1, 2), st.booleans(), seeds)
def test_separable_conv2d(
    shape: Shape,
    filters: int,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    multiplier: int,
    use_bias: bool,
    seed: int,
) -> None:
    check(SeparableConv2D(filters, kernel, strides, padding, multiplier, use_bias), shape, seed)


@few
@given(maps, pairs, pairs, paddings, seeds)
def test_max_pool2d(shape: Shape, size: tuple[int, int], strides: tuple[int, int], padding: str, seed: int) -> None:
    check(MaxPool2D(size, strides, padding), shape, seed)


@few
@given(maps, pairs, pairs, paddings, seeds)
def test_average_pool2d(shape: Shape, size: tuple[int, int], strides: tuple[int, int], padding: str, seed: int) -> None:
    check(AveragePool2D(size, strides, padding), shape, seed)


@few
@given(maps, seeds)
def test_layers_on_maps_without_settings(shape: Shape, seed: int) -> None:
    for layer in (GlobalAveragePool2D(), Flatten(), ReLU(), Softmax()):
        check(layer, shape, seed)


@few
@given(maps, pairs, st.sampled_from(["nearest", "bilinear"]), seeds)
def test_upsample2d(shape: Shape, size: tuple[int, int], interpolation: str, seed: int) -> None:
    check(Upsample2D(size, interpolation), shape, seed)


@few
@given(st.tuples(st.integers(1, 9), st.integers(2, 9), st.integers(1, 3)), seeds)
def test_relu6_on_both_sides_of_its_ceiling(shape: Shape, seed: int) -> None:
    """The values are shifted to lie around 6, none of them at it."""

    class Shifted(ReLU6):
        def forward(self, X: Array, *, training: bool = False) -> Array:
            return super().forward(X + 6.0, training=training)

    layer = Shifted()
    check(layer, shape, seed)
    assert layer.forward(distinct((2, *shape), np.random.default_rng(seed))).max() == 6.0


@few
@given(st.one_of(maps, st.tuples(st.integers(1, 12))), st.integers(1, 5), st.booleans(), seeds)
def test_dense_on_vectors_and_on_maps(shape: Shape, units: int, use_bias: bool, seed: int) -> None:
    check(Dense(units, use_bias), shape, seed)


@few
@given(st.one_of(maps, st.tuples(st.integers(1, 12))), st.booleans(), seeds)
def test_batch_norm_in_training_and_in_serving(shape: Shape, training: bool, seed: int) -> None:
    check(BatchNorm(epsilon=1e-3, momentum=0.9), shape, seed, n=5, training=training)


def test_the_oracle_sees_a_wrong_gradient() -> None:
    """A filter that is not rotated backward, the paper's own fault, is off by far more than the tolerance."""

    class Unrotated(Conv2D):
        def input_gradient(self, dY: Array) -> Array:
            kernel = self.parameters["kernel"]
            self.parameters["kernel"] = np.ascontiguousarray(kernel.transpose(1, 0, 2, 3))
            try:
                return super().input_gradient(dY)
            finally:
                self.parameters["kernel"] = kernel

    with pytest.raises(AssertionError):
        check(Unrotated(2, (3, 3)), (5, 5, 1), seed=0)
