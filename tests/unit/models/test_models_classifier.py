"""One artefact reads the same on every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError, EngineFault, UsageError
from schemas.predictions import ENGINES
from trainer.training.architectures import ARCHITECTURES, make_architecture
from wetread.models.artefact import Artefact, ModelContents, save_artefact
from wetread.models.classifier import READ_BATCH
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shapes import network_shapes
from worker.engine_faults import loaded, read_patiently

AGREEMENT = 1e-4
"""The most that two engines may differ in probability."""


NEEDED = {"keras": "tensorflow", "onnx": "onnxruntime"}
"""Engine -> the library without which its tests are skipped."""

OTHERS = [pytest.param(engine, marks=getattr(pytest.mark, engine)) for engine in ENGINES if engine != "numpy"]
"""The engines that the NumPy engine is compared with."""


def choose(engine: str) -> str:
    """Return `engine`, or skip the test where it is not installed."""
    if engine in NEEDED:
        pytest.importorskip(NEEDED[engine])
    return engine


@pytest.fixture(scope="module", params=["numpy", *OTHERS])
def engine(request: pytest.FixtureRequest) -> str:
    return choose(str(request.param))


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory, contents) -> Artefact:
    return save_artefact(tmp_path_factory.mktemp("models") / "model", contents())


def draw_images(n: int, artefact: Artefact) -> np.ndarray:
    return np.random.default_rng(1).random((n, *artefact.card.architecture.input_shape), dtype=np.float32)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Draw a network of one to three blocks, with every kind of layer that can stand in it, and branches."""
    sides = (draw(st.integers(9, 16)), draw(st.integers(9, 16)), 1)
    channels = 1
    layers: list[LayerSpec] = []

    def put(kind: str, inputs: tuple[str, ...] = (), **values: object) -> str:
        layers.append(LayerSpec(kind, f"{kind}_{len(layers)}", values, inputs))
        return layers[-1].name

    for _ in range(draw(st.integers(1, 3))):
        window = {
            "kernel_size": draw(st.sampled_from([[1, 1], [2, 3], [3, 3]])),
            "strides": draw(st.sampled_from([[1, 1], [2, 2]])),
            "padding": "same",
            "use_bias": draw(st.booleans()),
        }
        kind = draw(st.sampled_from(["conv2d", "separable_conv2d", "depthwise_conv2d"]))
        own = {} if kind == "depthwise_conv2d" else {"filters": draw(st.integers(1, 5))}
        own |= {} if kind == "conv2d" else {"depth_multiplier": draw(st.integers(1, 2))}
        channels *= own.get("depth_multiplier", 1)
        if channels == own.get("filters") == 1 and (kind == "separable_conv2d" or window["kernel_size"] == [1, 1]):
            own["filters"] = 2  # TensorFlow's oneDNN may raise there: test_one_channel_through_one_filter… has it
        channels = own.get("filters", channels)
        put(kind, **window, **own)
        if draw(st.booleans()):
            put("batch_norm", epsilon=1e-3, momentum=0.9)
        before = put("relu")
        if draw(st.booleans()):
            branch = put("batch_norm", (before,), epsilon=1e-3, momentum=0.9)
            put("add", (before, branch))
        if draw(st.booleans()):
            pool = draw(st.sampled_from(["max_pool2d", "average_pool2d"]))
            put(pool, pool_size=[2, 2], strides=draw(st.sampled_from([[1, 1], [2, 2]])), padding="same")
        if draw(st.booleans()):
            put("dropout", rate=0.4)
    put(draw(st.sampled_from(["flatten", "global_average_pool2d"])))
    if draw(st.booleans()):
        put("dense", units=draw(st.integers(1, 6)), use_bias=True)
        put("relu")
    put("dense", units=3, use_bias=draw(st.booleans()))
    return Architecture(sides, tuple(layers))


def assert_agreement(artefact: Artefact, other: str) -> None:
    images = draw_images(5, artefact)
    ours, theirs = (load_classifier(artefact, engine, threads=1).read(images) for engine in ("numpy", other))

    assert ours.logits.shape == theirs.logits.shape == (5, 3)
    features = network_shapes(artefact.card.architecture).features
    assert ours.features.shape == theirs.features.shape == (5, *features)
    np.testing.assert_allclose(probabilities(ours.logits, 1.0), probabilities(theirs.logits, 1.0), atol=AGREEMENT)
    np.testing.assert_allclose(ours.features, theirs.features, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("other", OTHERS)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(architecture=architectures(), seed=st.integers(0, 1000))
def test_the_numpy_engine_and_another_agree(
    tmp_path_factory: pytest.TempPathFactory, contents, other: str, architecture: Architecture, seed: int
) -> None:
    choose(other)
    directory = tmp_path_factory.mktemp("agree") / "model"
    assert_agreement(save_artefact(directory, contents(architecture=architecture, seed=seed)), other)


@pytest.mark.parametrize("kind", ["separable_conv2d", "conv2d"])
@pytest.mark.parametrize("other", OTHERS)
def test_one_channel_through_one_filter_is_read_alike_or_the_engine_is_to_blame(
    tmp_path: Path, contents, other: str, kind: str
) -> None:
    """TensorFlow 2.21 with oneDNN aborts on such shapes now and then, on some processors: no reorder primitive."""
    choose(other)
    window = {"kernel_size": [1, 1], "strides": [1, 1], "padding": "same", "use_bias": True, "filters": 1}
    layers = (
        LayerSpec(kind, "one", window | ({"depth_multiplier": 1} if kind == "separable_conv2d" else {})),
        LayerSpec("flatten", "flat"),
        LayerSpec("dense", "logits", {"units": 3, "use_bias": True}),
    )
    artefact = save_artefact(tmp_path / "model", contents(architecture=Architecture((10, 3, 1), layers), seed=1))
    images = draw_images(3, artefact)
    ours = load_classifier(artefact, "numpy").read(images)
    try:
        theirs = read_patiently(loaded(artefact, other), images)
    except EngineFault as fault:
        assert f"engine {other}" in str(fault)  # a worker pauses the run: tests/integration/test_who_is_to_blame.py
    else:
        np.testing.assert_allclose(ours.logits, theirs.logits, atol=AGREEMENT)


@pytest.mark.parametrize("other", OTHERS)
def test_engines_agree_on_every_kind_of_layer(tmp_path: Path, every_kind: ModelContents, other: str) -> None:
    choose(other)
    artefact = save_artefact(tmp_path / "model", every_kind)
    assert_agreement(artefact, other)
    read = load_classifier(artefact, "numpy").read(draw_images(5, artefact))
    assert np.ptp(read.logits, axis=0).max() > 100 * AGREEMENT  # the images are told apart, so agreement says something


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("other", OTHERS)
def test_engines_agree_on_what_is_trained(tmp_path: Path, contents, other: str, name: str) -> None:
    choose(other)
    architecture = make_architecture(name, 3, size=32)
    assert_agreement(save_artefact(tmp_path / "model", contents(architecture=architecture, seed=1)), other)


def test_a_classifier_says_what_it_is(artefact: Artefact, engine: str) -> None:
    classifier = load_classifier(artefact, engine)
    assert (classifier.engine, classifier.digest) == (engine, artefact.digest)
    assert (classifier.labels, classifier.preprocess) == (artefact.card.labels, artefact.card.preprocess)


@pytest.mark.parametrize("n", [0, 1, READ_BATCH, READ_BATCH + 1])
def test_how_images_are_grouped_changes_no_reading(artefact: Artefact, engine: str, n: int) -> None:
    classifier = load_classifier(artefact, engine)
    images = draw_images(n, artefact)
    together = classifier.read(images)
    assert together.logits.shape == (n, 3)
    assert together.logits.dtype == together.features.dtype == np.float32
    for row in range(0, n, 7):
        alone = classifier.read(images[row : row + 1])
        np.testing.assert_allclose(alone.logits[0], together.logits[row], atol=1e-5)
        np.testing.assert_allclose(alone.features[0], together.features[row], atol=1e-5)


def test_a_reading_is_not_changed_by_the_next_one(artefact: Artefact, engine: str) -> None:
    classifier = load_classifier(artefact, engine)
    images = draw_images(4, artefact)
    first = classifier.read(images)
    kept = first.logits.copy(), first.features.copy()
    classifier.read(images + 1)
    np.testing.assert_array_equal(first.logits, kept[0])
    np.testing.assert_array_equal(first.features, kept[1])


def test_images_of_another_size_are_refused(artefact: Artefact, engine: str) -> None:
    classifier = load_classifier(artefact, engine)
    for shape in [(2, 12, 12, 1), (12, 10, 1), (2, 12, 10, 3)]:
        with pytest.raises(UsageError, match="expected images of"):
            classifier.read(np.zeros(shape, np.float32))


def test_an_unknown_engine_is_named_with_the_known_ones(artefact: Artefact) -> None:
    with pytest.raises(UsageError, match="numpy, keras, onnx, found 'torch'"):
        load_classifier(artefact, "torch")


@pytest.mark.keras
def test_weights_survive_a_round_through_keras(contents) -> None:
    pytest.importorskip("tensorflow")
    from wetread.models.keras_network import build_keras, get_weights, set_weights

    made = contents()
    model = build_keras(made.architecture)
    set_weights(model, made.architecture, made.weights)
    back = get_weights(model)
    assert back.keys() == made.weights.keys()
    for name, array in made.weights.items():
        np.testing.assert_array_equal(back[name], array)
    with pytest.raises(ArtefactError, match="missing"):
        set_weights(model, made.architecture, {})


@pytest.mark.keras
def test_a_seed_gives_the_same_first_weights(contents) -> None:
    pytest.importorskip("tensorflow")
    from wetread.models.keras_network import build_keras, get_weights

    architecture = contents().architecture
    first, again, other = (get_weights(build_keras(architecture, seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first["conv/kernel"], again["conv/kernel"])
    assert not np.array_equal(first["conv/kernel"], other["conv/kernel"])
