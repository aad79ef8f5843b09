"""Every engine reads real films alike, from one artefact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from schemas.architecture import Architecture, LayerSpec
from wetread.imaging.decode import decode
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact, ModelContents, load_artefact, save_artefact
from wetread.models.card import Provenance
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shapes import network_shapes
from wetread.models.shipped import SHIPPED, shipped_directory

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "archive"
FILMS = 24
AGREEMENT = 1e-4

OTHERS = [
    pytest.param("keras", "tensorflow", marks=pytest.mark.keras, id="keras"),
    pytest.param("onnx", "onnxruntime", marks=pytest.mark.onnx, id="onnx"),
]
"""What the NumPy engine is compared with, and the library that it needs."""

pytestmark = pytest.mark.data


def drawn_model(directory: Path) -> Artefact:
    """Return an untrained CNN with residual, separable and normalised layers, whose logits differ from film to film."""
    window = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "use_bias": True}
    half = {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}
    layers = (
        LayerSpec("conv2d", "stem", window | {"filters": 16}),
        LayerSpec("batch_norm", "stem_norm", {"epsilon": 1e-3, "momentum": 0.99}),
        LayerSpec("relu", "stem_relu"),
        LayerSpec("max_pool2d", "stem_pool", half),
        LayerSpec("separable_conv2d", "middle", window | {"filters": 16, "depth_multiplier": 1}),
        LayerSpec("add", "residual", {}, ("stem_pool", "middle")),
        LayerSpec("relu", "middle_relu"),
        LayerSpec("max_pool2d", "middle_pool", half),
        LayerSpec("global_average_pool2d", "mean"),
        LayerSpec("dense", "logits", {"units": 3, "use_bias": True}),
    )
    architecture = Architecture((128, 128, 1), layers)
    random = np.random.default_rng(0)
    weights = {}
    for weight, shape in network_shapes(architecture).weights.items():
        positive = weight.endswith(("/gamma", "/moving_variance"))
        weights[weight] = random.normal(1.0 if positive else 0.0, 0.1 if positive else 0.6, shape).astype(np.float32)
    contents = ModelContents(
        name="drawn",
        architecture=architecture,
        weights=weights,
        labels=("covid", "normal", "pneumonia"),
        preprocess=Preprocess(height=128, width=128),
        provenance=Provenance("numpy", "drawn", 0, "2026-11-23T05:00:00+00:00"),
    )
    return save_artefact(directory, contents)


@pytest.mark.parametrize("name", ["drawn", *SHIPPED])
@pytest.mark.parametrize(("other", "library"), OTHERS)
def test_engines_agree_on_real_films(name: str, other: str, library: str, tmp_path: Path) -> None:
    pytest.importorskip(library)
    if not ARCHIVE.is_dir():
        pytest.skip("the real X-rays are not at ../shared/data/archive")
    given = (
        drawn_model(tmp_path / "drawn") if name == "drawn" else load_artefact(shipped_directory(name), SHIPPED[name])
    )
    files = sorted(path for path in ARCHIVE.rglob("*") if path.is_file())
    films = [decode(path.read_bytes()).pixels for path in files[:: max(1, len(files) // FILMS)][:FILMS]]
    images = given.card.preprocess.apply_many(films)

    ours, theirs = (
        probabilities(load_classifier(given, engine).read(images).logits, given.decision.temperature)
        for engine in ("numpy", other)
    )

    assert np.ptp(ours, axis=0).max() > 100 * AGREEMENT  # the films are told apart, so agreement says something
    assert np.abs(ours - theirs).max() < AGREEMENT
    np.testing.assert_array_equal(ours.argmax(1), theirs.argmax(1))
