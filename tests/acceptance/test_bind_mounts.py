"""The same directory by another name is the same films: `mount --bind`, as containers and administrators use it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program, films, with_model

MOUNT = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program with a model; films lie in archive/2024, and other/ is empty."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("mounting is not allowed here: it needs root, and util-linux")
    films(tmp_path / "archive" / "2024", patients=4)
    (tmp_path / "archive" / "2024" / "manifest.csv").unlink()
    (tmp_path / "other").mkdir()
    return with_model(tmp_path / "home")


def mounted(program: Program, what: Path, where: Path, *arguments: object) -> Any:
    """Run a command where `what` is mounted at `where` too; return what it prints with --json."""
    command = [sys.executable, "-m", "cli", *map(str, arguments), "--json"]
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", MOUNT, "sh", str(what), str(where), *command],
        env=program.env(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("part", "new_name_first"), [("", False), ("2024", True)], ids=["the archive", "a part of it, first"]
)
def test_a_mount_of_the_archive_or_of_a_part_has_the_same_films(
    program: Program, tmp_path: Path, part: str, new_name_first: bool
) -> None:
    archive, other = tmp_path / "archive", tmp_path / "other"
    order = [other, archive] if new_name_first else [archive, other]
    first, second = (mounted(program, archive / part, other, "screen", name, "--workers", 1) for name in order)
    assert [(run["done"], run["skipped"]) for run in (first, second)] == [(4, 0), (0, 4)]
    film = next((archive / "2024").rglob("*.*"))
    film.write_bytes(film.with_name(film.name).read_bytes() + b"\0")
    runs = [mounted(program, archive / part, other, "screen", name, "--workers", 1) for name in order]
    assert runs[0]["skipped"] == 3
    assert program.rows("SELECT count(*) FROM images") == [(4,)]
    assert len(program.lines("results", "list")) == 4
    assert len(program.lines("results", "list", "--path", f"{other}/")) == 4
    # Without the mount, the name is known still; with another directory there, it is that directory's.
    assert program.run("screen", archive, "--workers", "1").returncode == 0
    films(other, patients=1, seed=2)
    (other / "manifest.csv").unlink()
    assert program.json("screen", other, "--workers", 1)["done"] == 1
    assert len(program.lines("results", "list")) == 5
