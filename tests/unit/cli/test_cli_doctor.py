"""`wetread doctor` on a disk that SQLite cannot trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from click.testing import CliRunner

from cli.doctor import doctor, file_system

MOUNTS = [("/", "ext4"), ("/home", "nfs4"), ("/home/local", "xfs"), ("/srv", "autofs"), ("/srv", "cifs")]


class Mount(NamedTuple):
    mountpoint: str
    fstype: str


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/results.db", "ext4"),
        ("/home/anna/results.db", "nfs4"),
        ("/homes/results.db", "ext4"),
        ("/home/local/results.db", "xfs"),
        ("/srv/results.db", "cifs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(path: str, kind: str) -> None:
    assert file_system(path, MOUNTS) == kind
    assert file_system(path, []) == ""


@pytest.mark.parametrize(("kind", "faults"), [("nfs4", 1), ("fuse.sshfs", 1), ("ext4", 0), ("fuse.overlayfs", 0)])
def test_sqlite_on_a_networks_disk_is_a_fault_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, faults: int
) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [Mount("/", "ext4"), Mount(str(tmp_path), kind)])
    found = json.loads(CliRunner().invoke(doctor, ["--json"]).stdout)
    named = [finding for finding in found if finding["what"] == "database's disk"]
    assert len(named) == faults
    assert all(finding["state"] == "fault" and "PostgreSQL" in finding["cure"] for finding in named)
