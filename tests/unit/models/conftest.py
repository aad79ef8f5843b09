"""Small models, drawn at random, and a registry to put them in, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.architecture import LAYER_KINDS, Architecture, LayerSpec
from tests.measured import MEASURED
from tests.migrated import copy_sqlite
from wetread.imaging.preprocess import Preprocess
from wetread.models import registry as registry_module
from wetread.models import shipped as shipped_module
from wetread.models.artefact import ModelContents
from wetread.models.card import Provenance
from wetread.models.registry import Registry
from wetread.models.shapes import network_shapes
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LABELS = ("clear", "diffuse", "focal")


def _architecture() -> Architecture:
    convolution = {"filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "use_bias": True}
    pool = {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}
    layers = (
        LayerSpec("conv2d", "conv", convolution),
        LayerSpec("batch_norm", "norm", {"epsilon": 0.001, "momentum": 0.99}),
        LayerSpec("relu", "relu"),
        LayerSpec("max_pool2d", "pool", pool),
        LayerSpec("flatten", "flat"),
        LayerSpec("dense", "logits", {"units": len(LABELS), "use_bias": True}),
    )
    return Architecture((12, 10, 1), layers)


def _every_kind() -> Architecture:
    """Return a network with every kind of layer, both paddings, and normalisation and softmax of images and vectors."""
    stay = {"kernel_size": [3, 3], "strides": [1, 1], "use_bias": True}
    half = {"kernel_size": [3, 2], "strides": [2, 2], "use_bias": False}
    norm = {"epsilon": 0.01, "momentum": 0.9}
    layers = (
        LayerSpec("conv2d", "images", {"filters": 4, "kernel_size": [3, 2], "strides": [1, 2], "padding": "same",
                                       "use_bias": True}),
        LayerSpec("batch_norm", "logits", norm),
        LayerSpec("relu", "relu"),
        LayerSpec("dropout", "drop", {"rate": 0.5}),
        LayerSpec("separable_conv2d", "mixed", stay | {"filters": 4, "depth_multiplier": 2, "padding": "same"}),
        LayerSpec("add", "sum", {}, ("drop", "mixed")),
        LayerSpec("softmax", "shares"),
        LayerSpec("upsample2d", "larger", {"size": [1, 2], "interpolation": "bilinear"}),
        LayerSpec("upsample2d", "taller", {"size": [2, 1], "interpolation": "nearest"}),
        LayerSpec("max_pool2d", "most", {"pool_size": [3, 3], "strides": [2, 1], "padding": "same"}),
        LayerSpec("depthwise_conv2d", "deep", stay | {"depth_multiplier": 3, "padding": "valid"}),
        LayerSpec("average_pool2d", "middle", {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"}),
        LayerSpec("conv2d", "left", half | {"filters": 5, "padding": "valid"}),
        LayerSpec("flatten", "flat", {}, ("middle",)),
        LayerSpec("dense", "beside", {"units": 5, "use_bias": False}),
        LayerSpec("global_average_pool2d", "mean", {}, ("left",)),
        LayerSpec("add", "both", {}, ("mean", "beside")),
        LayerSpec("relu6", "six"),
        LayerSpec("concatenate", "joined", {}, ("both", "six", "both")),
        LayerSpec("batch_norm", "flat_norm", norm),
        LayerSpec("flatten", "features"),
        LayerSpec("softmax", "flat_shares"),
        LayerSpec("dropout", "flat_drop", {"rate": 0.2}),
        LayerSpec("dense", "last", {"units": 3, "use_bias": True}),
    )  # fmt: skip
    assert {layer.kind for layer in layers} == set(LAYER_KINDS)
    return Architecture((17, 19, 1), layers)


def draw_weights(architecture: Architecture, seed: int = 0) -> dict[str, Any]:
    """Return weights that no layer passes over: positive variances, no zeros."""
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in network_shapes(architecture).weights.items():
        scale = 0.1 if name.endswith(("kernel", "bias", "beta", "moving_mean")) else 0.0
        drawn = random.normal(size=shape) * scale + random.uniform(0.5, 1.5, size=shape) * (scale == 0.0)
        weights[name] = drawn.astype(np.float32)
    return weights


@pytest.fixture(scope="session")
def contents() -> Callable[..., ModelContents]:
    """Return a maker of a model's contents; any part may be given another value, and `seed` draws other weights."""

    def make(*, seed: int = 0, **parts: Any) -> ModelContents:
        architecture = parts.pop("architecture", _architecture())
        height, width, _ = architecture.input_shape
        return ModelContents(
            **{
                "name": "phantom",
                "architecture": architecture,
                "weights": draw_weights(architecture, seed),
                "labels": LABELS,
                "preprocess": Preprocess(height=height, width=width),
                "provenance": Provenance("numpy", "cnn", seed, "2026-11-23T05:00:00+00:00", libraries={"numpy": "2"}),
                "temperature": 1.5,
                "thresholds": {"focal": 0.6},
                "metrics": MEASURED,
                "history": {"loss": [1.0, 0.5]},
                "documents": {"MODEL_CARD.md": b"# phantom\n", "history.png": b"\x89PNG"},
            }
            | parts
        )

    return make


@pytest.fixture(scope="session")
def every_kind(contents: Callable[..., ModelContents]) -> ModelContents:
    """A model with every kind of layer, and weights large enough for two softmax layers to tell images apart."""
    made = contents(architecture=_every_kind(), seed=1)
    scales = {name: np.float32(4 if name.endswith("kernel") else 1) for name in made.weights}
    return replace(made, weights={name: array * scales[name] for name, array in made.weights.items()})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database at this program's schema."""
    copy_sqlite(tmp_path / "wetread.db")
    database = Database(f"sqlite:///{tmp_path / 'wetread.db'}")
    ensure_schema(database)
    yield database
    database.dispose()


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Nothing is shipped, until a test ships something of its own from a folder."""

    def ship(**digests: str) -> None:
        monkeypatch.setattr(shipped_module, "SHIPPED", digests)
        monkeypatch.setattr(registry_module, "SHIPPED", digests)
        for module in (shipped_module, registry_module):
            monkeypatch.setattr(module, "shipped_directory", lambda name: str(tmp_path / "program" / name))

    ship()
    return ship


@pytest.fixture
def registry(database: Database, ship: Callable[..., None], tmp_path: Path) -> Registry:
    """A registry whose clock moves a minute a look; nothing is shipped."""
    moments = (NOON + timedelta(minutes=minute) for minute in range(1000))
    return Registry(database, tmp_path / "models", now=lambda: next(moments))
