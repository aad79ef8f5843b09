"""What an error names as its cure fits the way in which wetread was installed, and a wheel holds the whole program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wetread import installing
from wetread.installing import install_command

ROOT = Path(__file__).parents[2]
PACKAGES = ("cli", "gateway", "screening", "producer", "worker", "trainer", "wetread", "schemas")


class Installed:
    """A distribution as pip, pipx or uv leaves it."""

    requires = ("numpy>=2.3", 'tensorflow>=2.21; extra == "keras"', 'keras>=3.15.1; extra == "keras"')

    def __init__(self, **files: str) -> None:
        self._files = {"direct_url.json": files.get("origin"), "INSTALLER": files.get("by", "pip\n")}

    def read_text(self, name: str) -> str | None:
        return self._files[name]


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that is no checkout."""
    monkeypatch.setattr(installing, "_CHECKOUT", str(tmp_path / "site-packages"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/env/bin/python")
    return tmp_path


def told(monkeypatch: pytest.MonkeyPatch, extra: str = "keras", **files: str) -> str:
    monkeypatch.setattr(installing, "distribution", lambda _name: Installed(**files))
    return install_command(extra)


def test_in_a_checkout_make_does_it() -> None:
    assert [install_command(extra) for extra in ("keras", "onnx", "postgres", "")] == [
        "make keras", "make onnx", "make install", "make install",
    ]  # fmt: skip


def test_elsewhere_who_installed_it_does_from_where_it_did(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = json.dumps({"url": prefix.as_uri(), "dir_info": {}})
    wanted = f"'wetread[keras] @ {prefix.as_uri()}'"
    assert told(monkeypatch, origin=clone) == f"/env/bin/python -m pip install {wanted}"
    assert told(monkeypatch, "", origin=clone) == f"/env/bin/python -m pip install {prefix.as_uri()}"
    assert told(monkeypatch, origin=clone, by="uv") == f"uv pip install --python /env/bin/python {wanted}"
    (prefix / "uv-receipt.toml").touch()
    assert told(monkeypatch, origin=clone, by="uv") == f"uv tool install --force {wanted}"
    (prefix / "pipx_metadata.json").touch()
    assert told(monkeypatch, origin=clone) == f"pipx install --force {wanted}"
    origin = json.dumps({"url": "https://h/w.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}})
    assert told(monkeypatch, origin=origin).endswith("'wetread[keras] @ git+https://h/w.git@abc'")


def test_where_that_place_is_gone_the_packages_are_named(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = json.dumps({"url": (prefix / "gone").as_uri(), "dir_info": {}})
    for files in ({}, {"origin": gone}):
        assert told(monkeypatch, **files) == "/env/bin/python -m pip install 'tensorflow>=2.21' 'keras>=3.15.1'"
    (prefix / "pipx_metadata.json").touch()
    assert told(monkeypatch, origin=gone) == "pipx inject wetread 'tensorflow>=2.21' 'keras>=3.15.1'"


def test_no_error_names_a_way_of_its_own() -> None:
    """All cures for what is not installed come from one function."""
    found = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(way in path.read_text() for way in ("make keras", "make onnx", "make install", "install the extra"))
    ]
    assert found == ["wetread/installing.py"]


def test_a_wheel_holds_every_file_of_every_package(tmp_path: Path) -> None:
    """A model, a page or a migration that is left out is missed only where it was installed, not in a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, check=True, capture_output=True).stdout
    tracked = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
    for name in (*tracked, "pyproject.toml", "README.md", "LICENSE", "WEIGHTS_LICENSE"):
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "clone" / name)
    build = "from hatchling.build import build_wheel; build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path / "clone", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert tracked - held == set()
    assert {name.partition("/")[0] for name in held if ".dist-info" not in name} == set(PACKAGES)
    for name in ("weights.safetensors", "model.json", "decision.json"):
        assert f"wetread/models/shipped/chest-cnn/{name}" in held
