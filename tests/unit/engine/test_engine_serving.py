from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError, DataError
from tests.unit.engine.networks import (
    BATCH_NORM,
    assert_close,
    convolution,
    dense,
    pictures,
    pool,
    residual_network,
    separable,
    small_cnn,
    trained,
    two_depths,
)
from wetread.engine.serving import ServingNetwork

block = st.tuples(
    st.sampled_from(["conv2d", "separable_conv2d", "depthwise_conv2d"]),
    st.integers(1, 3),  # kernel side
    st.integers(1, 2),  # stride
    st.sampled_from(["same", "valid"]),
    st.booleans(),  # bias
    st.lists(
        st.sampled_from(["batch_norm", "relu", "relu6", "upsample", "dropout", "max", "overlapping max", "average"]),
        max_size=4,
    ),
)


def drawn_architecture(
    shape: tuple[int, int, int], blocks: list[tuple[str, int, int, str, bool, list[str]]]
) -> Architecture:
    layers: list[LayerSpec] = []
    for number, (kind, side, stride, padding, use_bias, rest) in enumerate(blocks):
        window = {"kernel_size": [side, side], "strides": [stride, stride], "padding": padding, "use_bias": use_bias}
        own = {
            "conv2d": {"filters": 3 + number},
            "separable_conv2d": {"filters": 3 + number, "depth_multiplier": 1},
            "depthwise_conv2d": {"depth_multiplier": 2},
        }
        layers.append(LayerSpec(kind, f"conv{number}", {**window, **own[kind]}))
        for place, name in enumerate(rest):
            label = f"{name.replace(' ', '_')}{number}_{place}"
            if name == "batch_norm":
                layers.append(LayerSpec("batch_norm", label, BATCH_NORM))
            elif name == "dropout":
                layers.append(LayerSpec("dropout", label, {"rate": 0.4}))
            elif name in ("relu", "relu6"):
                layers.append(LayerSpec(name, label))
            elif name == "upsample":
                layers.append(LayerSpec("upsample2d", label, {"size": [2, 2], "interpolation": "bilinear"}))
            elif name == "overlapping max":
                sizes = {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"}
                layers.append(LayerSpec("max_pool2d", label, sizes))
            else:
                layers.append(pool(label, kind={"max": "max_pool2d", "average": "average_pool2d"}[name]))
    return Architecture(shape, (*layers, LayerSpec("global_average_pool2d", "average"), dense("logits", 3)))


@settings(deadline=None, max_examples=150)
@given(
    st.tuples(st.integers(3, 19), st.integers(3, 19), st.integers(1, 3)),
    st.lists(block, min_size=1, max_size=3),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.integers(0, 2**31),
)
def test_serving_gives_the_logits_of_the_trained_network(
    shape: tuple[int, int, int],
    blocks: list[tuple[str, int, int, str, bool, list[str]]],
    batch_sizes: list[int],
    seed: int,
) -> None:
    architecture = drawn_architecture(shape, blocks)
    try:
        network = trained(architecture, seed)
    except ArtefactError:
        assume(False)  # pooled to nothing
    serving = ServingNetwork(architecture, network.weights())
    for n in batch_sizes:
        X = pictures(architecture, n, seed)
        expected = network.forward(X)
        np.testing.assert_allclose(serving.logits(X), expected, rtol=1e-4, atol=1e-4 * max(1, abs(expected).max()))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("height", "width"), [(96, 96), (67, 75)])
@pytest.mark.parametrize("kind", ["conv2d", "separable_conv2d"])
def test_networks_of_a_real_size_are_served_in_parts_and_blocks(
    kind: str, height: int, width: int, padding: str
) -> None:
    """Large enough for several parts of a batch and several blocks of rows, and for rows left over by both."""
    layers: list[LayerSpec] = []
    for number, filters in enumerate((12, 24, 40)):
        own = convolution if kind == "conv2d" or not number else separable
        layers += [
            own(f"conv{number}", filters, padding=padding, use_bias=False),
            LayerSpec("batch_norm", f"norm{number}", BATCH_NORM),
            LayerSpec("relu", f"relu{number}"),
            *([pool(f"pool{number}")] if number != 1 else []),
        ]
    layers += [LayerSpec("global_average_pool2d", "average"), dense("logits", 3)]
    network = trained(Architecture((height, width, 1), tuple(layers)))
    X = pictures(network.architecture, 21)
    serving = ServingNetwork(network.architecture, network.weights())
    expected = network.forward(X)
    assert np.ptp(expected, axis=0).min() > 1e-3, "the images' differences must reach the logits"
    np.testing.assert_allclose(serving.logits(X), expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


@pytest.mark.parametrize("side", [10, 12])
@pytest.mark.parametrize("n", [1, 3, 32, 40])
def test_branches_are_served(n: int, side: int) -> None:
    network = trained(residual_network(side))
    X = pictures(network.architecture, n)
    serving = ServingNetwork(network.architecture, network.weights())
    assert_close(serving.logits(X), network.forward(X))


@pytest.mark.parametrize("n", [1, 5])
def test_joined_branches_of_two_depths_are_served(n: int) -> None:
    network = trained(two_depths())
    X = 3 * pictures(network.architecture, n)
    assert network.outputs(X)["relu1"].max() == 6.0, "some values must reach the ceiling"
    serving = ServingNetwork(network.architecture, network.weights())
    logits, features = serving.readout(X)
    assert_close(logits, network.forward(X))
    assert_close(features, network.outputs(X)["features"])


def test_the_features_are_what_the_last_dense_layer_reads() -> None:
    network = trained(residual_network())
    X = pictures(network.architecture, 5)
    logits, features = ServingNetwork(network.architecture, network.weights()).readout(X)
    outputs = network.outputs(X)
    assert_close(features, outputs["relu4"])
    assert_close(logits, outputs["logits"])


def test_what_was_returned_stays_when_the_next_batch_reuses_the_memory() -> None:
    network = trained(small_cnn())
    serving = ServingNetwork(network.architecture, network.weights())
    X = pictures(network.architecture, 4)
    logits, features = serving.readout(X)
    kept = logits.copy(), features.copy()
    serving.readout(X + 1)
    np.testing.assert_array_equal(logits, kept[0])
    np.testing.assert_array_equal(features, kept[1])


def test_an_image_reads_the_same_alone_and_among_others() -> None:
    network = trained(residual_network(16))
    serving = ServingNetwork(network.architecture, network.weights())
    X = pictures(network.architecture, 9)
    together = serving.logits(X)
    alone = np.concatenate([serving.logits(X[i : i + 1]) for i in range(9)])
    assert_close(alone, together)


def test_no_images_give_no_logits() -> None:
    network = trained(small_cnn())
    serving = ServingNetwork(network.architecture, network.weights())
    assert serving.logits(pictures(network.architecture, 0)).shape == (0, 3)


def test_images_of_another_shape_are_refused() -> None:
    network = trained(small_cnn())
    with pytest.raises(DataError, match="10, 10, 1"):
        ServingNetwork(network.architecture, network.weights()).logits(np.zeros((2, 8, 8, 1), np.float32))


def test_weights_that_do_not_fit_are_refused() -> None:
    network = trained(residual_network())
    weights = network.weights()
    del weights["norm1/gamma"]
    with pytest.raises(ArtefactError, match="norm1/gamma"):
        ServingNetwork(network.architecture, weights)


def test_features_need_a_dense_layer() -> None:
    architecture = Architecture((4, 4, 1), (LayerSpec("flatten", "flat"),))
    with pytest.raises(ArtefactError, match="dense"):
        ServingNetwork(architecture, {}).readout(np.zeros((1, 4, 4, 1), np.float32))


def test_the_engine_imports_numpy_alone() -> None:
    script = (
        "import sys, wetread.engine.serving, wetread.engine.training, wetread.engine.early_stopping\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in found if not name.startswith("_")} - {
        "numpy",
        "wetread",
        "schemas",
        "sitecustomize",
    } == set()
