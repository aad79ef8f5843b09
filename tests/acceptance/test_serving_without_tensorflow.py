"""An engine loads no other, in any process: here the others are a trap that remembers who stepped on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.program import REPOSITORY, Program, films, with_model

TRAP = """
import os
with open(os.environ["TRAP_FILE"], "a") as file:
    file.write(f"{__name__} {os.getpid()}\\n")
raise ImportError(f"{__name__} must not be loaded here")
"""


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """The file that names each process that imported one of them."""
    for name in ("tensorflow", "keras", "onnx", "onnxruntime", "matplotlib"):
        (tmp_path / "trap" / name).mkdir(parents=True)
        (tmp_path / "trap" / name / "__init__.py").write_text(TRAP)
    return tmp_path / "trapped"


def trapped_program(trap: Path, **environment: str) -> Program:
    program = with_model(trap.parent / "home", **environment)
    path = os.pathsep.join([str(trap.parent / "trap"), str(REPOSITORY)])
    program.environment |= {"PYTHONPATH": path, "TRAP_FILE": str(trap)}
    return program


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    films(tmp_path / "archive", patients=4)
    (tmp_path / "archive" / "manifest.csv").unlink()
    return tmp_path / "archive"


def test_embedded(trap: Path, archive: Path) -> None:
    program = trapped_program(trap)
    assert program.json("screen", archive, "--engine", "numpy")["done"] == 4
    assert not trap.exists(), trap.read_text()


def test_served(trap: Path, archive: Path, redis_url: str, postgres_url: str) -> None:
    program = trapped_program(trap, WETREAD_BROKER_URL=redis_url, WETREAD_DATABASE_URL=postgres_url)
    worker = program.start("worker", "--concurrency", "1")
    try:
        assert program.json("screen", archive, "--engine", "numpy")["done"] == 4
    finally:
        worker.terminate()
        worker.communicate(timeout=60)
    assert not trap.exists(), trap.read_text()


def test_the_trap_catches_who_does_load_it(trap: Path, archive: Path) -> None:
    program = trapped_program(trap)
    assert program.run("screen", archive, "--engine", "keras").returncode != 0
    assert "tensorflow" in trap.read_text() or "keras" in trap.read_text()
