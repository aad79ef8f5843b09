"""A training on a terminal of 80 columns: how many films were read, the audit, and findings on lines of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from tests.tutorials import terminal
from trainer.phantoms.archive import draw_archive

TRAIN = "--size 32 --width 8 --epochs 2 --processes 1 --no-panel --no-gate"


def test_findings_stand_on_lines_of_their_own_and_no_line_of_the_bar_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "COLUMNS", 80)
    drawn = draw_archive(tmp_path / "films", patients=45, seed=3, images_per_patient=(1, 1))
    manifest = tmp_path / "films" / "manifest.csv"
    # Every film of one label comes from one source: a finding that the audit has to say.
    rows = manifest.read_text().splitlines()
    label = rows[0].split(",").index("label")
    manifest.write_text("\n".join([f"{rows[0]},scanner", *(f"{row},{row.split(',')[label]}" for row in rows[1:])]))
    environment = {**os.environ, "WETREAD_HOME": str(tmp_path / "home")}
    (shown,) = terminal.run_commands(
        [f"{sys.executable} -m cli train films/ {TRAIN}"], tmp_path, environment, seconds=240
    )
    assert shown.code == 0, shown.text
    lines = shown.text.splitlines()
    reading, auditing, training = (
        next(line for line in lines if line.startswith(name)) for name in ("reading films", "auditing", "training")
    )
    assert reading.endswith(f"{len(drawn)}/{len(drawn)}")
    assert "2/2 loss" in training and "accuracy 0." in training
    bars = [line for line in lines if "━" in line]
    assert bars == [reading, auditing, training], shown.text
    assert all(line.count("━") and not line.startswith("━") for line in bars)
