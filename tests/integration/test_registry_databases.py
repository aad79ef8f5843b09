"""The registry on both databases, and several machines that register at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from schemas.architecture import Architecture, LayerSpec
from tests.measured import MEASURED
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import ModelContents
from wetread.models.card import Provenance
from wetread.models.registry import Registry
from wetread.store.core.database import Database

MACHINES = 6


def contents(seed: int) -> ModelContents:
    layers = (LayerSpec("flatten", "flat"), LayerSpec("dense", "logits", {"units": 2, "use_bias": False}))
    kernel = np.random.default_rng(seed).normal(size=(16, 2)).astype(np.float32)
    return ModelContents(
        name="phantom",
        architecture=Architecture((4, 4, 1), layers),
        weights={"logits/kernel": kernel},
        labels=("clear", "focal"),
        preprocess=Preprocess(height=4, width=4),
        provenance=Provenance("numpy", "dnn", seed, "2026-11-23T05:00:00+00:00"),
        thresholds={"focal": 0.6},
        metrics=MEASURED,
    )


def test_a_model_lives_through_registration_promotion_and_rollback(database: Database, tmp_path: Path) -> None:
    registry = Registry(database, tmp_path / "models")
    one, two = (registry.publish(contents(seed)) for seed in (1, 2))
    registry.promote("phantom@1")
    registry.promote("phantom@2")
    registry.rollback()

    later = Registry(database, tmp_path / "models")
    assert later.resolve("production") == one
    assert later.open(two.digest).decision.thresholds == {"focal": 0.6}
    ours = [model.registration for model in later.models() if model.registration.name == "phantom"]
    assert ours == [one, two]
    assert len(later.moves()) == 3


@pytest.mark.parametrize("shared", [True, False], ids=["one folder", "a folder each"])
def test_trainings_that_end_together_are_all_kept(database: Database, tmp_path: Path, shared: bool) -> None:
    folders = [tmp_path / ("models" if shared else f"models{machine}") for machine in range(MACHINES)]
    with ThreadPoolExecutor(MACHINES) as machines:
        made = list(
            machines.map(
                lambda machine: Registry(database, folders[machine]).publish(contents(machine)), range(MACHINES)
            )
        )
    assert len({model.digest for model in made}) == len({model.version for model in made}) == MACHINES
    for machine, model in enumerate(made):
        assert Registry(database, folders[machine]).open(model.digest).card.version == model.version


def test_one_model_that_many_machines_import_at_once_is_registered_once(database: Database, tmp_path: Path) -> None:
    with ThreadPoolExecutor(MACHINES) as machines:
        made = list(
            machines.map(
                lambda machine: Registry(database, tmp_path / f"models{machine}").publish(contents(0)), range(MACHINES)
            )
        )
    assert len(set(made)) == 1
    digest = made[0].digest
    for machine in range(MACHINES):
        assert Registry(database, tmp_path / f"models{machine}").open(digest).digest == digest


def test_an_alias_goes_back_along_its_own_moves_alone(database: Database, tmp_path: Path) -> None:
    registry = Registry(database, tmp_path / "models")
    one, two, three = (registry.publish(contents(seed)) for seed in (1, 2, 3))
    for version, alias in ((1, "production"), (2, "production"), (3, "trial"), (1, "trial")):
        registry.promote(f"phantom@{version}", alias)
    assert [move.model_digest for move in registry.moves("trial")] == [one.digest, three.digest]
    assert [move.model_digest for move in registry.moves("production")] == [two.digest, one.digest]
    assert registry.rollback("production").model_digest == one.digest
    assert registry.rollback("trial").model_digest == three.digest
    assert registry.resolve("production") == one
