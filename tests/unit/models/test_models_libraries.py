"""What an engine asks of its library: that it is there, and that it starts nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import UsageError
from wetread.models.artefact import Artefact, save_artefact
from wetread.models.loading import load_classifier


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory, contents) -> Artefact:
    return save_artefact(tmp_path_factory.mktemp("models") / "model", contents())


def test_without_tensorflow_the_message_has_the_cure(artefact: Artefact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(UsageError, match="make keras"):
        load_classifier(artefact, "keras")


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_onnx_the_message_has_the_cure(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match="make onnx"):
        load_classifier(artefact, "onnx")


@pytest.mark.parametrize(
    ("engine", "strange"),
    [
        ("numpy", {"tensorflow", "keras", "onnx", "onnxruntime"}),
        pytest.param("onnx", {"tensorflow", "keras", "matplotlib"}, marks=pytest.mark.onnx),
    ],
)
def test_an_engine_never_imports_another(tmp_path: Path, contents, engine: str, strange: set[str]) -> None:
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
    save_artefact(tmp_path / "model", contents())
    program = (
        "import sys; import numpy as np\n"
        "from wetread.models.artefact import load_artefact\n"
        "from wetread.models.loading import load_classifier\n"
        f"classifier = load_classifier(load_artefact({str(tmp_path / 'model')!r}), {engine!r})\n"
        "classifier.read(np.zeros((1, 12, 10, 1), np.float32))\n"
        f"sys.exit(sorted({strange!r} & set(sys.modules)) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.onnx
def test_onnx_runtime_keeps_to_its_threads(tmp_path: Path, contents) -> None:
    """With one thread given it starts none of its own; with three, two more beside the caller's."""
    pytest.importorskip("onnxruntime")
    save_artefact(tmp_path / "model", contents())
    program = (
        "import os, sys; os.environ['OPENBLAS_NUM_THREADS'] = '1'\n"
        "import numpy as np, onnx, onnxruntime\n"
        "from wetread.models.artefact import load_artefact\n"
        "from wetread.models.loading import load_classifier\n"
        f"artefact = load_artefact({str(tmp_path / 'model')!r})\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "for threads in (1, 3):\n"
        "    classifier = load_classifier(artefact, 'onnx', threads=threads)\n"
        "    classifier.read(np.zeros((4, 12, 10, 1), np.float32))\n"
        "    print(len(os.listdir('/proc/self/task')) - before)\n"
        "    del classifier\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["0", "2"], "")


@pytest.mark.keras
def test_keras_starts_without_a_word(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    program = (
        "from wetread.models.keras_runtime import import_keras\n"
        "tensorflow, keras = import_keras(threads=1)\n"
        "threading = tensorflow.config.threading\n"
        "assert threading.get_intra_op_parallelism_threads() == threading.get_inter_op_parallelism_threads() == 1\n"
        "keras.layers.Dense(2)(tensorflow.ones((1, 3)))\n"
        "for number in range(7):  # as many networks as a study of optimizers compiles, and two more\n"
        "    @tensorflow.function\n"
        "    def step(x): return x + number\n"
        "    step(tensorflow.ones(1))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
