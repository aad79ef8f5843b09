"""A training that is killed goes on: real processes, kill -9, both engines."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.program import Program, eventually, films, kill_group
from trainer.training.checkpoints import epochs_kept

EPOCHS = 15


@pytest.mark.parametrize("engine", [pytest.param("keras", marks=pytest.mark.keras), "numpy"])
def test_a_killed_training_becomes_the_model_that_it_would_have_been(engine: str, tmp_path: Path) -> None:
    if engine == "keras":
        pytest.importorskip("tensorflow")
    program, data, folder = Program(tmp_path / "home"), tmp_path / "films", tmp_path / "kept"
    films(data, patients=45, seed=3)
    command = ("train", data, "--name", "drawn", "--engine", engine, "--size", "32", "--width", "8", "--epochs", EPOCHS)
    command = (*command, "--average", "0.9", "--threads", "1", "--processes", "1", "--no-panel", "--no-open-test")
    straight = program.run(*command, "--output", tmp_path / "straight")
    assert straight.returncode == 0, straight.stderr
    assert f"next: wetread models import {tmp_path / 'straight'}" in straight.stderr
    command = (*command, "--output", tmp_path / "resumed", "--checkpoint", folder)
    before = 0
    for least in (2, 6):  # killed twice
        killed = program.start(*command)
        eventually(lambda: epochs_kept(os.fsencode(folder)) >= least, what=f"epoch {least}")  # noqa: B023 - called here
        kill_group(killed)
        assert killed.returncode == -signal.SIGKILL
        assert before < (before := epochs_kept(os.fsencode(folder))) < EPOCHS
    other = program.run(*command, "--average", "0.5")
    assert other.returncode == 2 and "with other settings: average (" in other.stderr
    resumed = program.run(*command)
    assert resumed.returncode == 0, resumed.stderr
    assert f"of {before} of {EPOCHS} epochs" in resumed.stderr
    assert not folder.exists()
    expected, found = (load_file(tmp_path / name / "weights.safetensors") for name in ("straight", "resumed"))
    for name, weight in expected.items():
        tolerance = 0 if engine == "numpy" else 1e-5
        np.testing.assert_allclose(found[name], weight, rtol=0, atol=tolerance, err_msg=name)
    imported = program.run("models", "import", tmp_path / "resumed")
    assert imported.returncode == 0, imported.stderr
