"""Films read on ONNX Runtime, by wetread and by a program that has only the exported file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.program import Program, films, with_model
from wetread.imaging.decode import decode
from wetread.imaging.preprocess import Preprocess

pytestmark = pytest.mark.onnx
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    films(tmp_path / "archive", patients=12)
    (tmp_path / "archive" / "manifest.csv").unlink()
    return tmp_path / "archive"


def readings(program: Program) -> dict[str, dict[str, object]]:
    return {row["path"]: row for row in program.lines("results", "list")}


def assert_read_alike(program: Program, archive: Path) -> None:
    program.json("screen", archive, "--engine", "numpy")
    ours = readings(program)
    assert program.json("screen", archive, "--engine", "onnx", "--force")["done"] == 12
    theirs = readings(program)
    assert ({row["engine"] for row in ours.values()}, {row["engine"] for row in theirs.values()}) == (
        {"numpy"}, {"onnx"},
    )  # fmt: skip
    assert {path: row["label"] for path, row in ours.items()} == {path: row["label"] for path, row in theirs.items()}
    for path, row in ours.items():
        assert theirs[path]["probabilities"] == pytest.approx(row["probabilities"], abs=1e-4)


def test_onnx_gives_the_labels_of_numpy(archive: Path, tmp_path: Path) -> None:
    assert_read_alike(with_model(tmp_path / "home"), archive)


def test_a_worker_gives_them_too(archive: Path, tmp_path: Path, redis_url: str, postgres_url: str) -> None:
    program = with_model(tmp_path / "home", WETREAD_BROKER_URL=redis_url, WETREAD_DATABASE_URL=postgres_url)
    worker = program.start("worker", "--concurrency", "1")
    try:
        assert_read_alike(program, archive)
    finally:
        worker.terminate()
        worker.communicate(timeout=60)


def test_the_exported_file_alone_gives_the_same_probabilities(archive: Path, tmp_path: Path) -> None:
    program = with_model(tmp_path / "home")
    program.json("screen", archive)
    program.json("models", "export", "production", "--format", "onnx", "--output", tmp_path / "tiny.onnx")

    session = onnxruntime.InferenceSession(tmp_path / "tiny.onnx", providers=["CPUExecutionProvider"])
    described = session.get_modelmeta().custom_metadata_map
    preprocess = Preprocess.from_json(json.loads(described["preprocessing"]))
    for path, row in readings(program).items():
        images = preprocess.apply_many([decode(Path(path).read_bytes()).pixels])
        logits = session.run(["logits"], {"images": images})[0][0] / float(described["temperature"])
        shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        found = dict(zip(json.loads(described["labels"]), shares.tolist(), strict=True))
        assert found == pytest.approx(row["probabilities"], abs=1e-4)


def test_an_export_wants_one_place(tmp_path: Path) -> None:
    program = with_model(tmp_path / "home")
    for words in (["--format", "onnx"], ["there", "--format", "onnx"], [], ["--output", "there"]):
        ended = program.run("models", "export", "production", *words)
        assert ended.returncode == 2 and "expected" in ended.stderr
