"""Another's network: what is said of it as it is imported, what it becomes, and how it reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import ArtefactError, UsageError
from tests.another_model import SIDE, constant, draw_densenet, few_numbers, node, session_of
from wetread.models.another_network import AnotherNetwork
from wetread.models.artefact import load_artefact, save_artefact, verify_artefact
from wetread.models.asked_network import AskedNetwork
from wetread.models.decision import probabilities
from wetread.models.loading import check_reads, load_classifier
from wetread.models.network_file import network_bytes
from wetread.models.onnx_file import checked_onnx
from wetread.models.onnx_probe import imported, tried

MEMORY = 1024**3
LABELS = ("covid", "normal", "pneumonia")
XRV = {"input_range": [-1024, 1024]}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
FILMS = np.random.default_rng(5).integers(0, 256, (3, SIDE, SIDE), np.uint8)


def network_of(data: bytes, labels: tuple[str, ...] = LABELS, gives: str = "logits", **preprocess: Any) -> Any:
    return AskedNetwork(labels, gives, preprocess).network_of(checked_onnx(data))


def test_levels_become_the_range_that_is_asked() -> None:
    network, preprocess = network_of(draw_densenet(), **XRV)
    ends = network.input_of(preprocess.scaled(np.array([[[0, 255]]], np.uint8))[..., None])
    np.testing.assert_allclose(ends.ravel(), [-1024, 1024])
    assert ends.shape == (1, 1, 1, 2)


def test_a_film_becomes_three_channels_each_with_its_own_scale() -> None:
    network, preprocess = network_of(draw_densenet(channels=3), **IMAGENET)
    taken = network.input_of(preprocess.scaled(FILMS)[..., None])
    assert taken.shape == (3, 3, SIDE, SIDE)
    for channel, (mean, std) in enumerate(zip(*IMAGENET.values(), strict=True)):
        np.testing.assert_allclose(taken[:, channel], (FILMS / 255 - mean) / std, rtol=1e-5, atol=1e-5)


def test_nothing_is_done_to_a_film_unless_that_is_asked() -> None:
    _, plain = network_of(draw_densenet())
    assert (plain.plain, plain.clip_limit, plain.brightness) == (True, 0, 0)
    _, changed = network_of(draw_densenet(), clip_limit=2.0, brightness=10)
    assert (changed.plain, changed.clip_limit, changed.brightness) == (False, 2.0, 10)
    film = np.random.default_rng(1).integers(0, 256, (128, 128), np.uint8)
    np.testing.assert_array_equal(plain.steps(film).brightened, plain.steps(film).original)


@pytest.mark.parametrize(
    ("labels", "gives", "preprocess", "found"),
    [
        (LABELS[:2], "logits", {}, "each of the network's 3 outputs"),
        (("none", *LABELS), "softmax", {}, "each of the network's 3 outputs"),
        (("_", *LABELS), "sigmoid", {}, "each of the network's 3 outputs"),
        (("a", "_", "b"), "softmax", {}, "of a sigmoid alone"),
        (("a", "a", "b"), "logits", {}, "each label once"),
        (LABELS, "odds", {}, "expected outputs that are"),
        (LABELS, "logits", {"size": 3}, "expected the keys"),
        (LABELS, "logits", {"height": 32}, "the file's own input of 64 x 64"),
        (LABELS, "logits", {"channels": 3}, "1 or 3 channels"),
        (LABELS, "logits", {"input_range": [1, 1]}, "low, high"),
        (LABELS, "logits", {"input_range": [0, 1], "mean": 0.5}, "neither mean nor std"),
        (LABELS, "logits", {"mean": [0.1, 0.2]}, "expected 1 numbers"),
        (LABELS, "logits", {"std": 0}, "above 0"),
        (LABELS, "logits", {"working_size": "large"}, "working_size"),
    ],
)
def test_what_does_not_fit_is_refused(
    labels: tuple[str, ...], gives: str, preprocess: dict[str, Any], found: str
) -> None:
    with pytest.raises(UsageError, match=found):
        network_of(draw_densenet(), labels, gives, **preprocess)


def test_a_softmax_is_read_as_it_is() -> None:
    network, _ = network_of(draw_densenet(end="Softmax"), gives="softmax")
    shares = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(probabilities(network.logits_of(shares), 1.0), shares, atol=1e-6)


def test_findings_that_may_come_together_are_odds_against_none() -> None:
    network, _ = network_of(draw_densenet(end="Sigmoid"), ("none", "a", "_", "b"), "sigmoid")
    assert (network.reads, network.none_first) == ((0, 2), True)
    shares = probabilities(network.logits_of(np.array([[0.5, 0.9, 0.75]])), 1.0)
    np.testing.assert_allclose(shares, [[1 / 5, 1 / 5, 3 / 5]], rtol=1e-6)  # odds of 1, 1 and 3


def test_one_output_of_a_sigmoid_is_its_probability() -> None:
    network, _ = network_of(draw_densenet(outputs=1, end="Sigmoid"), ("normal", "opacity"), "sigmoid")
    np.testing.assert_allclose(probabilities(network.logits_of(np.array([[0.8]])), 1.0), [[0.2, 0.8]], rtol=1e-6)


@pytest.mark.parametrize("values", [[[-0.5, 0.5, 1.0]], [[0.2, 0.2, 0.2]], [[0.0, 0.0, np.inf]]])
def test_what_is_no_softmax_is_not_read_as_one(values: list[list[float]]) -> None:
    network, _ = network_of(draw_densenet(end="Softmax"), gives="softmax")
    with pytest.raises(ArtefactError, match="expected probabilities"):
        network.logits_of(np.array(values))


def test_a_record_reads_back_as_it_was_written() -> None:
    network, _ = network_of(draw_densenet(channels=3), **IMAGENET)
    assert AnotherNetwork.from_json(network.to_json()) == network


@pytest.mark.parametrize(
    "change",
    [{"together": 0}, {"reads": [0, 3, 1]}, {"gives": "odds"}, {"stds": [0.0]}, {"means": ["x"]}, {"height": True}],
)
def test_a_record_with_another_value_is_refused(change: dict[str, Any]) -> None:
    network, _ = network_of(draw_densenet())
    with pytest.raises(ArtefactError):
        AnotherNetwork.from_json({"onnx": network.to_json()["onnx"] | change})


def test_a_model_reads_as_onnx_runtime_does_with_its_file(tmp_path: Path) -> None:
    data = draw_densenet()
    contents = imported(data, AskedNetwork(LABELS, "logits", XRV), "dense", MEMORY)
    saved = save_artefact(tmp_path / "model", contents)
    loaded = verify_artefact(tmp_path / "model", trusted_digest=saved.digest)
    images = loaded.card.preprocess.scaled(FILMS)[..., None]
    read = load_classifier(loaded, "onnx", threads=1).read(images)
    (theirs,) = session_of(data).run(None, {"image": (FILMS[:, None] / np.float32(255)) * 2048 - 1024})
    np.testing.assert_allclose(read.logits, theirs, rtol=1e-3, atol=1e-2)
    assert np.ptp(read.logits, axis=0).min() > 0
    assert network_bytes(loaded, "onnx") == data
    for engine in ("numpy", "keras"):
        with pytest.raises(UsageError, match="--engine onnx"):
            check_reads(loaded, engine)
    with pytest.raises(UsageError, match="--engine onnx"):
        load_classifier(loaded, "numpy")
    with pytest.raises(UsageError, match="--engine onnx"):
        network_bytes(loaded, "keras")
    altered = bytearray(data)
    altered[-40] ^= 1
    (tmp_path / "model" / "network.onnx").write_bytes(altered)
    with pytest.raises(ArtefactError, match=r"network\.onnx"):
        load_artefact(tmp_path / "model")


def test_the_label_order_is_part_of_the_digest(tmp_path: Path) -> None:
    contents = imported(draw_densenet(), AskedNetwork(LABELS, "logits", {}), "dense", MEMORY)
    one = save_artefact(tmp_path / "one", contents)
    other = save_artefact(tmp_path / "other", replace(contents, labels=LABELS[::-1]))
    assert one.digest != other.digest


MANY = constant("many", np.array([1 << 14, 1 << 16], np.int64))
BOMB = [
    node("ConstantOfShape", ["many"], "large", value=constant("one", np.array([1], np.float32))),
    node("ReduceSum", ["large"], "sum", keepdims=0),
    node("Mul", ["means", "sum"], "given"),
]
MIXED = [node("ReduceMean", ["means"], "mean", axes=[0]), node("Add", ["means", "mean"], "given")]
SAME = [node("Mul", ["means", "nothing"], "given")]
NOTHING = constant("nothing", np.float32(0))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (few_numbers(BOMB, [MANY]), "of memory, found one that needs more"),
        (few_numbers(MIXED), "does not depend on those beside it"),
        (few_numbers(SAME, [NOTHING]), "found the same for all"),
    ],
)
def test_what_only_a_trial_shows(data: bytes, found: str) -> None:
    with pytest.raises(ArtefactError, match=found):
        tried(data, AskedNetwork(("normal", "opacity"), "logits", {}), MEMORY)


def test_a_trial_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ArtefactError, match=r"within 0\.05 s"):
        tried(draw_densenet(), AskedNetwork(LABELS, "logits", {}), MEMORY, seconds=0.05)


def test_a_file_for_one_film_is_read_one_at_a_time() -> None:
    found = tried(draw_densenet(films=1), AskedNetwork(LABELS, "logits", {}), MEMORY)
    assert found["network"]["onnx"]["together"] == 1
