"""`wetread screen --profile`: where the time went, added up over the processes."""

from __future__ import annotations

from pathlib import Path

from tests.program import films, with_model


def test_the_profile_names_each_stage_and_adds_up_to_what_the_workers_served(tmp_path: Path) -> None:
    films(tmp_path / "archive", patients=40)
    program = with_model(tmp_path / "home", WETREAD_BATCH_SIZE="8")
    said = program.json("screen", tmp_path / "archive", "--workers", 2, "--profile")
    stages = said["profile"]
    assert {"wait", "claim", "files", "decode", "clahe", "network", "settle", "other", "read", "hash"} <= set(stages)
    for stage in ("claim", "decode", "reduce", "clahe", "resize", "network", "settle", "read", "hash"):
        assert stages[stage]["seconds"] > 0, stage
    in_turn = sum(stage["seconds"] for stage in stages.values() if not stage["beside"])
    assert 0 < in_turn <= 2 * said["seconds"], "two processes cannot serve longer than the command ran"

    shown = program.run("screen", tmp_path / "archive", "--force", "--profile")
    assert shown.returncode == 0, shown.stderr
    assert "CLAHE" in shown.stdout and "beside, in reading threads" in shown.stdout
    assert "profile" not in program.json("screen", tmp_path / "archive")
    nothing = program.run("screen", tmp_path / "archive", "--profile")
    assert "no image was settled" in nothing.stderr
