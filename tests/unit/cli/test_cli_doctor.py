"""`wetread doctor` names what is wrong, with its cure."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli.doctor
import wetread.network_disk
from cli.doctor import doctor, shadowing


@pytest.mark.parametrize(("kind", "faults"), [("nfs4", 1), ("fuse.sshfs", 1), ("ext4", 0), ("fuse.overlayfs", 0)])
def test_sqlite_on_a_networks_disk_is_a_fault_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, faults: int
) -> None:
    monkeypatch.setattr(
        wetread.network_disk, "mounted", lambda: [(b"/", "ext4"), (os.fsencode(os.path.realpath(tmp_path)), kind)]
    )
    found = json.loads(CliRunner().invoke(doctor, ["--json"]).stdout)
    named = [finding for finding in found if finding["what"] == "database's disk"]
    assert len(named) == faults
    assert all(finding["state"] == "fault" and "PostgreSQL" in finding["cure"] for finding in named)


@pytest.mark.parametrize(("seconds", "states"), [(0.0, ["ok"]), (60.0, ["fault"]), (-60.0, ["fault"])])
def test_a_clock_that_differs_from_the_databases_is_a_fault_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, seconds: float, states: list[str]
) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    clock = [finding for finding in looked() if finding["what"] == "clock"]
    assert [finding["state"] for finding in clock] == states
    assert all(finding["state"] == "ok" or "NTP" in finding["cure"] for finding in clock)
    assert seconds <= 0 or clock[0]["found"][:7] in ("59.8 s ", "59.9 s ", "60.0 s ")


def test_a_package_that_hides_one_of_ours_is_named(tmp_path: Path) -> None:
    ours = str(Path(cli.doctor.__file__).parent.parent)
    (tmp_path / "a" / "worker").mkdir(parents=True)
    (tmp_path / "a" / "worker" / "__init__.py").touch()
    (tmp_path / "a" / "schemas").mkdir()  # of no consequence: it is no package
    (tmp_path / "a" / "cli.py").touch()
    before = list(shadowing([str(tmp_path / "a"), ours]))
    assert [(one.what, one.state) for one in before] == [("names", "fault")] * 2
    assert [one.found.rpartition(" ")[2] for one in before] == ["cli", "worker"]
    assert list(shadowing([ours, str(tmp_path / "a")])) == [], "ours comes first"


def test_here_nothing_is_hidden_and_what_is_loaded_is_said() -> None:
    found = {finding["what"]: finding for finding in looked()}
    assert "names" not in found
    for what in ("python", "cv2", "engine numpy", "database", "model", "disk"):
        assert found[what]["state"] == "ok", found[what]


def looked() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(CliRunner().invoke(doctor, ["--json"]).stdout)
    return found
