"""A model small enough for tests: random weights, 32 x 32 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.migrated import copy_sqlite
from trainer.training.architectures import cnn
from wetread.engine.network import Network
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import ModelContents
from wetread.models.card import Provenance
from wetread.models.registry import Registry
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

LABELS = ("covid", "normal", "pneumonia")


def tiny_contents(name: str = "tiny", seed: int = 0) -> ModelContents:
    """Return a cnn whose labels differ from film to film."""
    architecture = cnn(len(LABELS), size=32, width=8)
    weights = Network(architecture, seed=seed).weights()
    last = next(key for key in reversed(list(weights)) if key.endswith("/kernel"))
    weights[last] = (weights[last] * np.float32(40.0)).astype(np.float32)
    return ModelContents(
        name=name,
        architecture=architecture,
        weights=weights,
        labels=LABELS,
        preprocess=Preprocess(height=32, width=32, working_size=256),
        provenance=Provenance("numpy", "cnn", seed, "2026-01-01T00:00:00+00:00"),
    )


def publish_tiny_model(database_url: str | None, home: Path, name: str = "tiny", seed: int = 0) -> str:
    """Register the tiny model and put it in production; return its digest."""
    if database_url is None:
        copy_sqlite(home / "results.db")
    database = Database(database_url or f"sqlite:///{home / 'results.db'}")
    try:
        ensure_schema(database)
        registry = Registry(database, home / "models")
        registered = registry.publish(tiny_contents(name, seed))
        registry.promote(f"{registered.name}@{registered.version}", accept_evaluation="it is for tests")
        return registered.digest
    finally:
        database.dispose()


def publish_contents(contents: ModelContents, home: Path) -> None:
    """Register a model in a home, and leave what is in production as it is."""
    database = Database(f"sqlite:///{home / 'results.db'}")
    try:
        Registry(database, home / "models").publish(contents)
    finally:
        database.dispose()
