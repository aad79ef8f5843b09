"""The locked requirements name no host, hash everything, agree with each other, and keep step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = {
    "runtime": ({"train", "postgres", "parquet"}, {"build"}),
    "keras": ({"train", "postgres", "parquet", "keras"}, {"build"}),
    "onnx": ({"train", "postgres", "parquet", "onnx"}, {"build"}),
    "web": ({"train", "postgres", "parquet", "web"}, {"build"}),
    "pacs": ({"train", "postgres", "parquet", "pacs"}, {"build"}),
    "dev": ({"train", "postgres", "parquet", "keras", "onnx", "web", "pacs"}, {"build", "check", "test"}),
}
"""requirements/NAME.txt -> the extras and the dependency groups of pyproject.toml that it holds, beside the core."""

PIN = re.compile(
    r"^(?P<pin>[a-z0-9-]+(\[[a-z,-]+\])?==\S+)( ; [^\\]+)? \\\n"
    r"(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+",
    re.MULTILINE,
)


def read(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def pins(name: str) -> dict[str, str]:
    """Return package -> version."""
    found = (Requirement(match["pin"]) for match in PIN.finditer(read(name)))
    return {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in found}


def declared(extras: set[str], groups: set[str]) -> list[Requirement]:
    """Return what pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    texts = [*project["project"]["dependencies"]]
    texts += [text for extra in extras for text in project["project"]["optional-dependencies"][extra]]
    texts += [text for group in groups for text in project["dependency-groups"][group]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_a_pin_with_its_hashes(name: str) -> None:
    assert PIN.sub("", read(name)) == "", "expected `make lock` to have written pins and hashes alone"


@pytest.mark.parametrize("name", FILES)
def test_the_lock_holds_what_is_declared(name: str) -> None:
    locked = pins(name)
    for requirement in declared(*FILES[name]):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement}: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement}, locked {version}: run `make lock`"
        )


@pytest.mark.parametrize("name", ["runtime", "keras", "onnx", "web", "pacs"])
def test_one_version_of_a_package_in_all_files(name: str) -> None:
    assert pins(name).items() <= pins("dev").items()


@pytest.mark.parametrize("name", ["runtime", "onnx", "pacs"])
def test_serving_without_keras_installs_no_tensorflow(name: str) -> None:
    assert {"tensorflow", "keras"}.isdisjoint(pins(name))


def test_the_runtime_is_without_the_optional_engines() -> None:
    assert {"onnx", "onnxruntime"}.isdisjoint(pins("runtime"))


def test_opencv_is_there_once() -> None:
    assert [package for package in pins("dev") if package.startswith("opencv")] == ["opencv-python-headless"]
