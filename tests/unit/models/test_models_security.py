"""A model that was altered, or that is no model, is refused before anything in it is parsed, and nothing runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ArtefactError
from wetread.models import weights as weights_module
from wetread.models.artefact import load_artefact, save_artefact, verify_artefact
from wetread.models.decision import Decision
from wetread.models.digest import model_digest
from wetread.models.strict_json import canonical, pretty

LOADED = ["decision.json", "model.json", "weights.safetensors"]
DOCUMENTS = ["MODEL_CARD.md", "history.json", "history.png", "metrics.json"]


class Canary:
    """Unpickled, it writes a file: the proof that a program in a model was run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, contents) -> Path:
    """A good model, never to be changed."""
    directory = tmp_path_factory.mktemp("saved") / "model"
    save_artefact(directory, contents())
    return directory


@pytest.fixture
def model(saved: Path, tmp_path: Path) -> Path:
    """A copy of the good model, to be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.fixture
def unparsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The list of bytes that were given to safetensors, to be found empty."""
    parsed: list[bytes] = []
    real = safetensors.numpy.load

    def load(data: bytes) -> Any:
        parsed.append(data)
        return real(data)

    monkeypatch.setattr(weights_module.safetensors.numpy, "load", load)
    return parsed


def reseal(model: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change model.json as somebody would who knows the format: with a seal that fits again."""
    body = json.loads((model / "model.json").read_bytes())
    change(body)
    del body["seal"]
    body["seal"] = hashlib.sha256(canonical(body)).hexdigest()
    (model / "model.json").write_bytes(pretty(body))


def claim_again(body: dict[str, Any]) -> None:
    """Let the card claim the digest of what it now describes."""
    parts = ("architecture", "weights_sha256", "labels", "preprocessing", "gate")
    body["digest"] = model_digest(**{part: body[part] for part in parts})


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_byte_changed_in_any_file_is_refused(saved: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(LOADED + DOCUMENTS))
    good = (saved / file).read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    flip = data.draw(st.integers(1, 255))
    model = saved.parent / "changed"
    shutil.copytree(saved, model)
    try:
        (model / file).write_bytes(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
        with pytest.raises(ArtefactError):
            verify_artefact(model)
        if file == "weights.safetensors":
            with pytest.raises(ArtefactError, match="SHA-256"):
                load_artefact(model)
    finally:
        shutil.rmtree(model)


@pytest.mark.parametrize("file", LOADED)
@pytest.mark.parametrize("cut", ["short", "long", "gone", "link", "folder", "fifo"])
def test_a_file_that_is_not_as_it_was_is_refused(model: Path, unparsed: list[bytes], file: str, cut: str) -> None:
    good = (model / file).read_bytes()
    os.remove(model / file)
    match cut:
        case "short":
            (model / file).write_bytes(good[: len(good) // 2])
        case "long":
            (model / file).write_bytes(good + b"\0")
        case "link":
            (model.parent / "elsewhere").write_bytes(good)
            (model / file).symlink_to(model.parent / "elsewhere")
        case "folder":
            (model / file).mkdir()
        case "fifo":
            os.mkfifo(model / file)
    with pytest.raises(ArtefactError):
        load_artefact(model)
    assert unparsed == []


def test_other_weights_with_a_card_to_match_are_another_model(model: Path, unparsed: list[bytes]) -> None:
    trusted = load_artefact(model).digest
    unparsed.clear()
    arrays = safetensors.numpy.load_file(model / "weights.safetensors")
    arrays["logits/bias"] = arrays["logits/bias"] + 1
    data = safetensors.numpy.save(arrays)
    (model / "weights.safetensors").write_bytes(data)
    reseal(model, lambda body: body.update(weights_sha256=hashlib.sha256(data).hexdigest()))
    with pytest.raises(ArtefactError, match="as its card says"):
        load_artefact(model)

    reseal(model, claim_again)
    with pytest.raises(ArtefactError, match="as the registry says"):
        load_artefact(model, trusted)
    assert unparsed == []


def _lambda_kind(layers: list[dict[str, Any]]) -> None:
    layers.insert(0, {"kind": "lambda", "name": "boom", "settings": {"function": "__import__('os').system('id')"}})


def _keras_lambda(layers: list[dict[str, Any]]) -> None:
    layers.insert(0, {"kind": "Lambda", "name": "boom", "settings": {"class_name": "Lambda", "config": {}}})


def _setting_with_a_program(layers: list[dict[str, Any]]) -> None:
    layers[0]["settings"]["padding"] = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}


def _extra_setting(layers: list[dict[str, Any]]) -> None:
    layers[0]["settings"]["activation"] = "boom"


def _endless_layer(layers: list[dict[str, Any]]) -> None:
    layers[-1]["settings"]["units"] = 10**12


def _huge_layer(layers: list[dict[str, Any]]) -> None:
    layers[0]["settings"] |= {"filters": 65_536, "kernel_size": [12, 10]}
    layers.insert(1, layers[0] | {"name": "again", "settings": layers[0]["settings"] | {"kernel_size": [1, 1]}})


def _path_as_a_name(layers: list[dict[str, Any]]) -> None:
    layers[0]["name"] = "../../etc/passwd"


@pytest.mark.parametrize(
    "plant",
    [
        _lambda_kind,
        _keras_lambda,
        _setting_with_a_program,
        _extra_setting,
        _endless_layer,
        _huge_layer,
        _path_as_a_name,
    ],
)
def test_an_architecture_is_known_layers_with_plain_settings(
    model: Path, unparsed: list[bytes], plant: Callable[[list[dict[str, Any]]], None]
) -> None:
    reseal(model, lambda body: plant(body["architecture"]["layers"]))
    with pytest.raises(ArtefactError, match="layer"):
        load_artefact(model)
    assert unparsed == []


def _pickled_npz(canary: Canary) -> bytes:
    file = io.BytesIO()
    np.savez(file, weights=np.array([canary], dtype=object))
    return file.getvalue()


def _pickle(canary: Canary) -> bytes:
    return pickle.dumps(canary)


def _hdf5(_: Canary) -> bytes:
    return b"\x89HDF\r\n\x1a\n" + bytes(2048)


def _keras_archive(_: Canary) -> bytes:
    return b"PK\x03\x04" + bytes(2048)


@pytest.mark.parametrize("disguise", [_pickled_npz, _pickle, _hdf5, _keras_archive])
@pytest.mark.parametrize("card", ["as it was", "made to match"])
def test_no_other_format_is_read_as_weights(
    model: Path, tmp_path: Path, disguise: Callable[[Canary], bytes], card: str
) -> None:
    data = disguise(Canary(tmp_path / "canary"))
    (model / "weights.safetensors").write_bytes(data)
    if card == "made to match":
        reseal(model, lambda body: body.update(weights_sha256=hashlib.sha256(data).hexdigest()))
        reseal(model, claim_again)
        digest = json.loads((model / "model.json").read_bytes())["digest"]
        (model / "decision.json").write_bytes(pretty(Decision(digest).to_json()))
    with pytest.raises(ArtefactError, match="SHA-256" if card == "as it was" else "expected safetensors"):
        load_artefact(model)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "weights.npz", "weights.pkl", "saved_model.pb"])
def test_a_model_of_another_kind_is_no_model(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    with pytest.raises(ArtefactError, match=r"expected a model's model\.json"):
        load_artefact(tmp_path / "model")
    assert not (tmp_path / "canary").exists()


def test_a_lone_keras_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ArtefactError, match="not a directory"):
        load_artefact(tmp_path / "model.h5")


@pytest.mark.parametrize("name", ["../../evil", "/etc/cron.d/evil", "..", "a/../../b", "C:\\evil"])
def test_a_card_cannot_name_a_way_out_of_the_models_folder(model: Path, name: str) -> None:
    reseal(model, lambda body: body.update(name=name))
    with pytest.raises(ArtefactError, match="model name"):
        load_artefact(model)


@pytest.mark.parametrize("name", ["../secret.md", "/etc/passwd", "plots/../../x.png", "model.json", "run.py", ".md"])
def test_a_card_cannot_list_documents_elsewhere(model: Path, name: str) -> None:
    (model.parent / "secret.md").write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    reseal(model, lambda body: body["documents"].update({name: digest}))
    with pytest.raises(ArtefactError, match="plain file name"):
        verify_artefact(model)


def test_a_card_edited_by_hand_is_refused(model: Path) -> None:
    good = (model / "model.json").read_bytes()
    body = json.loads(good)
    for edited in (
        good.replace(b'"engine": "numpy"', b'"engine": "keras"'),
        json.dumps(body).encode(),
        good.replace(b'"seal"', b'"format": 1,\n  "seal"'),
        good.rstrip(),
    ):
        assert edited != good
        (model / "model.json").write_bytes(edited)
        with pytest.raises(ArtefactError, match=r"model\.json"):
            load_artefact(model)


def test_another_models_decision_is_refused(model: Path) -> None:
    (model / "decision.json").write_bytes(pretty(Decision("a" * 64, 1.0).to_json()))
    with pytest.raises(ArtefactError, match=r"decision\.json: expected one for model"):
        load_artefact(model)


def test_a_card_too_large_to_be_one_is_not_parsed(model: Path) -> None:
    (model / "model.json").write_bytes(b" " * (5 * 1024 * 1024))
    with pytest.raises(ArtefactError, match="at most"):
        load_artefact(model)
