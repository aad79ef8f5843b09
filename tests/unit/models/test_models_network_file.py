"""A network as a file, opened by programs that know nothing of wetread."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import UsageError, WetreadError
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact, ModelContents, save_artefact
from wetread.models.loading import load_classifier
from wetread.models.network_file import write_network

# Keras 3.15 saves weights through TensorFlow 2.21's `__array__`, which has not heard of NumPy 2's `copy`.
KERAS_SAVES = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


@pytest.fixture
def artefact(tmp_path: Path, every_kind: ModelContents) -> Artefact:
    return save_artefact(tmp_path / "model", every_kind)


@pytest.fixture
def images(artefact: Artefact) -> np.ndarray:
    return np.random.default_rng(4).random((3, *artefact.card.architecture.input_shape), dtype=np.float32)


def assert_describes(description: dict[str, str], artefact: Artefact) -> None:
    assert "not for diagnostic use" in description["notice"]
    assert json.loads(description["labels"]) == list(artefact.card.labels)
    assert Preprocess.from_json(json.loads(description["preprocessing"])) == artefact.card.preprocess
    assert (description["model_digest"], description["decision_digest"]) == (artefact.digest, artefact.decision.digest)
    assert float(description["temperature"]) == artefact.decision.temperature
    assert json.loads(description["thresholds"]) == dict(artefact.decision.thresholds)


@pytest.mark.onnx
def test_an_onnx_file_reads_in_a_bare_runtime(artefact: Artefact, images: np.ndarray, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    write_network(artefact, "onnx", tmp_path / "out" / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"])

    ours = load_classifier(artefact, "numpy").read(images)
    for some in (images, images[:1]):
        logits, features = session.run(["logits", "features"], {"images": some})
        np.testing.assert_allclose(logits, ours.logits[: len(some)], atol=1e-4)
        np.testing.assert_allclose(features, ours.features[: len(some)], rtol=1e-3, atol=1e-5)
    given = session.get_inputs()[0]
    assert (given.name, given.type, given.shape) == ("images", "tensor(float)", ["n", 17, 19, 1])
    assert_describes(session.get_modelmeta().custom_metadata_map, artefact)


@pytest.mark.onnx
def test_the_same_model_gives_the_same_onnx_bytes(artefact: Artefact, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    for name in ("one", "two"):
        write_network(artefact, "onnx", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def layers_of(config: Any) -> Iterator[dict[str, Any]]:
    """Yield whatever Keras would build an object from."""
    if isinstance(config, dict):
        if config.get("class_name", "__keras_tensor__") != "__keras_tensor__":  # which names a layer's output
            yield config
        for value in config.values():
            yield from layers_of(value)
    elif isinstance(config, list):
        for value in config:
            yield from layers_of(value)


@pytest.mark.keras
@pytest.mark.filterwarnings(KERAS_SAVES)
def test_a_keras_file_opens_safely_in_plain_keras(artefact: Artefact, images: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from wetread.models.keras_runtime import import_keras

    _, keras = import_keras()
    write_network(artefact, "keras", tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)

    ours = load_classifier(artefact, "numpy").read(images)
    np.testing.assert_allclose(opened.predict_on_batch(images), ours.logits, atol=1e-4)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        objects = list(layers_of(json.loads(archive.read("config.json"))))
        assert_describes(json.loads(archive.read("wetread.json")), artefact)
    assert len(objects) > len(artefact.card.architecture.layers)
    assert {one["module"].split(".")[0] for one in objects} == {"keras"}
    assert {one.get("registered_name") for one in objects} <= {None, "Functional"}
    assert "Lambda" not in {one["class_name"] for one in objects}


@pytest.mark.filterwarnings(KERAS_SAVES)
@pytest.mark.parametrize("form", [pytest.param(form, marks=getattr(pytest.mark, form)) for form in ("onnx", "keras")])
def test_nothing_is_overwritten_and_nothing_half_written_stays(artefact: Artefact, tmp_path: Path, form: str) -> None:
    pytest.importorskip({"onnx": "onnx", "keras": "tensorflow"}[form])
    kept = tmp_path / "there.keras"
    kept.write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        write_network(artefact, form, kept)
    with pytest.raises(WetreadError, match="nothing was kept"):
        write_network(artefact, form, kept / "below.keras")
    assert kept.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"model", "there.keras"}


def test_a_name_that_keras_would_not_open_is_refused(artefact: Artefact, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends with \.keras"):
        write_network(artefact, "keras", tmp_path / "model.h5")


def test_an_unknown_format_is_named_with_the_known_ones(artefact: Artefact, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="onnx, keras, found 'h5'"):
        write_network(artefact, "h5", tmp_path / "model.h5")
