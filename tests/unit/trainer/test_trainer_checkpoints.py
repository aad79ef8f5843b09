from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import UsageError
from trainer.training.architectures import make_architecture
from trainer.training.augment import NO_AUGMENTATION, Augmentation
from trainer.training.checkpoints import FILE, epochs_kept, remove_checkpoint
from trainer.training.lesson import LabelledFilms, Progress, Trained
from trainer.training.options import TrainingOptions
from trainer.training.train import train
from wetread.imaging.preprocess import Preprocess

PREPROCESS = Preprocess(height=16, width=16, mean=0.5, std=0.25)
ENGINES = [pytest.param("keras", marks=pytest.mark.keras), "numpy"]
OPTIONS = TrainingOptions(
    epochs=5, batch_size=16, learning_rate=0.01, augmentation=Augmentation(shift=0.05), seed=4, average=0.9, patience=4
)


class Killed(Exception):
    """What ends a training in the middle of an epoch."""


def films(count: int, seed: int) -> LabelledFilms:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(60, 130, (count, 16, 16), dtype=np.uint8)
    targets = np.arange(count) % 3
    for film, target in zip(pixels, targets, strict=True):
        film[3:6, 1 + 5 * target : 5 + 5 * target] = 180
    return LabelledFilms(pixels, targets)


def trained(
    folder: Path | None, options: TrainingOptions, *, killed_in: int | None = None, validation_seed: int = 2
) -> Trained:
    """Train, and be killed in the middle of an epoch counted from 1 where that is asked for."""

    def report(at: Progress) -> None:
        if at.epoch == killed_in and at.batch == 3:
            raise Killed

    return train(
        make_architecture("cnn", 3, size=16, width=8),
        PREPROCESS,
        films(60, 1),
        films(30, validation_seed),
        options,
        report,
        None if folder is None else os.fsencode(folder),
    )


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_training_goes_on_to_what_it_would_have_become(engine: str, optimizer: str, tmp_path: Path) -> None:
    options = replace(OPTIONS, engine=engine, optimizer=optimizer)
    straight = trained(None, options)
    for epoch in (2, 4):  # killed twice
        with pytest.raises(Killed):
            trained(tmp_path, options, killed_in=epoch)
        assert epochs_kept(os.fsencode(tmp_path)) == epoch - 1
    resumed = trained(tmp_path, options)
    # The dropout's draws go on too: without its state the figures part at once.
    assert any(layer.kind == "dropout" for layer in make_architecture("cnn", 3, size=16, width=8).layers)
    tolerance = 0 if engine == "numpy" else 1e-5
    assert resumed.history.loss == pytest.approx(straight.history.loss, abs=tolerance)
    assert resumed.history.val_loss == pytest.approx(straight.history.val_loss, abs=tolerance)
    assert resumed.best_epoch == straight.best_epoch
    for name, weight in straight.weights.items():
        assert float(np.abs(resumed.weights[name] - weight).max()) <= tolerance, name


@pytest.mark.parametrize("engine", ENGINES)
def test_a_checkpoint_of_the_last_epoch_gives_its_weights_without_training(engine: str, tmp_path: Path) -> None:
    options = replace(OPTIONS, engine=engine, patience=None, epochs=2)
    first = trained(tmp_path, options)
    again = trained(tmp_path, options, killed_in=1)
    assert again.history == first.history and again.best_epoch == first.best_epoch == 2
    assert all(np.array_equal(again.weights[name], first.weights[name]) for name in first.weights)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_training_that_was_stopped_early_stops_at_the_same_epoch_again(engine: str, tmp_path: Path) -> None:
    options = replace(
        OPTIONS, engine=engine, patience=1, average=None, schedule="constant", learning_rate=0.3, epochs=30
    )
    first = trained(tmp_path, options)
    assert first.history.epochs == first.best_epoch + 1 < 30
    again = trained(tmp_path, options)
    assert again.history.val_loss == first.history.val_loss and again.best_epoch == first.best_epoch
    assert all(np.array_equal(again.weights[name], first.weights[name]) for name in first.weights)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epochs": 6}, r"epochs \(\d+, now 6\)"),
        ({"average": None}, r"average \(0\.\d+, now null\)"),
        ({"augmentation": NO_AUGMENTATION}, "augmentation"),
        ({"validation_seed": 3}, "validation films"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused_and_kept(
    changes: dict[str, Any], named: str, tmp_path: Path
) -> None:
    options = replace(OPTIONS, engine="numpy")
    with pytest.raises(Killed):
        trained(tmp_path, options, killed_in=2)
    others = {name: changes[name] for name in changes if name != "validation_seed"}
    with pytest.raises(UsageError, match=f"a training with other settings: {named}; name another folder"):
        trained(tmp_path, replace(options, **others), validation_seed=changes.get("validation_seed", 2))
    assert epochs_kept(os.fsencode(tmp_path)) == 1


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(FILE)).write_bytes(b"\x80\x04 anything")
    with pytest.raises(UsageError, match="expected a checkpoint of this program, found a fault"):
        trained(tmp_path, replace(OPTIONS, engine="numpy"))


def test_removing_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    folder, other = tmp_path / "kept", tmp_path / "shared"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    for where in (folder, other):
        with pytest.raises(Killed):
            trained(where, replace(OPTIONS, engine="numpy"), killed_in=2)
        (where / (os.fsdecode(FILE) + ".part")).write_bytes(b"half")
        remove_checkpoint(os.fsencode(where))
        assert epochs_kept(os.fsencode(where)) == 0
    assert not folder.exists() and [path.name for path in other.iterdir()] == ["notes.txt"]
    remove_checkpoint(os.fsencode(folder))
