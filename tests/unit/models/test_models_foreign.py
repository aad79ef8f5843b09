"""Real Keras and pickle files that run a program when they are loaded, handed in wherever a model can be."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import wetread
from schemas.errors import ArtefactError, UsageError, WetreadError
from wetread.models.artefact import save_artefact
from wetread.models.decision import Decision
from wetread.models.digest import model_digest
from wetread.models.strict_json import canonical, pretty

LOADED = ("model.json", "weights.safetensors", "decision.json")


class Canary:
    """Unpickled, it makes the file that the environment names."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ('touch "$WETREAD_TEST_CANARY"',))


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there when a program of a payload was run."""
    monkeypatch.setenv("WETREAD_TEST_CANARY", str(tmp_path / "canary"))
    return tmp_path / "canary"


def pickled() -> bytes:
    return pickle.dumps(Canary())


def pickled_npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, weights=np.array([Canary()], dtype=object))
    return file.getvalue()


@pytest.fixture(scope="module")
def keras_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A Lambda in both of Keras's formats, and a TFSMLayer, which loads a program that lies elsewhere."""
    keras = pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("keras")
    program = keras.layers.Lambda(lambda x: (__import__("os").system('touch "$WETREAD_TEST_CANARY"'), x)[1])
    network = keras.Sequential([keras.layers.Input((4, 4, 1)), program])
    network.save(folder / "lambda.keras")
    network.save(folder / "lambda.h5")
    with zipfile.ZipFile(folder / "lambda.keras") as archive, zipfile.ZipFile(folder / "tfsm.keras", "w") as planted:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "config.json":
                config = json.loads(data)
                layer = {"name": "tfsm", "filepath": "/tmp/saved", "call_endpoint": "serve", "dtype": "float32"}
                config["config"]["layers"][1] |= {"class_name": "TFSMLayer", "config": layer}
                data = json.dumps(config).encode()
            planted.writestr(name, data)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture
def payload(request: pytest.FixtureRequest) -> bytes:
    """The bytes of the kind that the test's parameter names."""
    own = {"pickle": pickled, "npz": pickled_npz}
    if request.param in own:
        return own[request.param]()
    files: dict[str, bytes] = request.getfixturevalue("keras_files")
    return files[request.param]


PAYLOADS = pytest.mark.parametrize(
    "payload",
    [
        "pickle",
        "npz",
        *(pytest.param(name, marks=pytest.mark.keras) for name in ("lambda.keras", "lambda.h5", "tfsm.keras")),
    ],
    indirect=True,
)


def refused(*words: object) -> WetreadError | click.ClickException:
    """Run a command that has to be refused, and return how."""
    ended = CliRunner().invoke(wetread, list(map(str, words)), standalone_mode=False)
    assert isinstance(ended.exception, WetreadError | click.ClickException), ended.output
    return ended.exception


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore::UserWarning:keras")  # it warns of the very program that is planted
def test_the_payloads_are_alive(keras_files: dict[str, bytes], canary: Path, tmp_path: Path) -> None:
    import keras

    for name in ("lambda.keras", "lambda.h5"):
        (tmp_path / name).write_bytes(keras_files[name])
        loaded = keras.saving.load_model(tmp_path / name, safe_mode=False)
        loaded(np.zeros((1, 4, 4, 1), np.float32))
        assert canary.exists(), name
        canary.unlink()
    for data in (pickled(), pickled_npz()):
        if data.startswith(b"PK"):
            np.load(io.BytesIO(data), allow_pickle=True)["weights"]
        else:
            pickle.loads(data)  # noqa: S301 - our own, to see that it runs
        assert canary.exists()
        canary.unlink()


@PAYLOADS
def test_a_file_of_another_kind_is_no_model_to_any_command(payload: bytes, tmp_path: Path, canary: Path) -> None:
    (tmp_path / "films" / "normal").mkdir(parents=True)
    for name in ("model.keras", "model.h5", "model.pkl"):
        file = tmp_path / name
        file.write_bytes(payload)
        for words in (
            ("models", "import", file),
            ("models", "verify", file),
            ("screen", tmp_path / "films", "--model", file),
            ("evaluate", file, tmp_path / "films"),
        ):
            assert refused(*words).exit_code == 2, words
    assert not canary.exists()


@PAYLOADS
@pytest.mark.parametrize("file", [*LOADED, "MODEL_CARD.md", "history.png", "model.keras", "weights.h5", "extra.pkl"])
def test_an_artefact_with_such_a_file_is_refused(
    payload: bytes, file: str, contents: Callable[..., Any], tmp_path: Path, canary: Path
) -> None:
    save_artefact(tmp_path / "sent", contents())
    (tmp_path / "sent" / file).write_bytes(payload)
    assert isinstance(refused("models", "import", tmp_path / "sent"), ArtefactError)
    if file == "weights.safetensors":
        claim(tmp_path / "sent", payload)
        assert isinstance(refused("models", "import", tmp_path / "sent"), ArtefactError)
    assert not canary.exists()


def claim(folder: Path, weights: bytes) -> None:
    """Let the card say that these are its weights, with every digest to match."""
    body = json.loads((folder / "model.json").read_bytes())
    body["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    parts = ("architecture", "weights_sha256", "labels", "preprocessing", "gate")
    body["digest"] = model_digest(**{part: body[part] for part in parts})
    del body["seal"]
    body["seal"] = hashlib.sha256(canonical(body)).hexdigest()
    (folder / "model.json").write_bytes(pretty(body))
    (folder / "decision.json").write_bytes(pretty(Decision(body["digest"]).to_json()))


@PAYLOADS
def test_a_registered_model_that_was_replaced_on_disk_is_refused_by_all_that_read_it(
    payload: bytes, contents: Callable[..., Any], tmp_path: Path, canary: Path
) -> None:
    save_artefact(tmp_path / "sent", contents())
    imported = CliRunner().invoke(wetread, ["models", "import", str(tmp_path / "sent")], standalone_mode=False)
    assert imported.exception is None, imported.output
    (kept,) = (tmp_path / "home" / "models").rglob("weights.safetensors")
    kept.write_bytes(payload)
    (tmp_path / "films" / "clear").mkdir(parents=True)
    shutil.copy(Path(__file__).parents[3] / "docs" / "images" / "reproduce-mnist.png", tmp_path / "films" / "clear")
    for words in (
        ("models", "promote", "phantom"),
        ("models", "export", "phantom", tmp_path / "out"),
        ("screen", tmp_path / "films", "--model", "phantom", "--workers", "1"),
        ("evaluate", "phantom", tmp_path / "films"),
    ):
        assert not isinstance(fault := refused(*words), UsageError), f"{words}: {fault}"
        assert fault.exit_code == 5, words
    assert not canary.exists()
