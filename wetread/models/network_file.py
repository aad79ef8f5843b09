"""Exports a model's network as one file of a standard format, for other programs.

Beside the network stands what it needs when it leaves the artefact: labels, preprocessing, temperature, digests. Such
a file is written, never read: serving and training build their networks from the artefact.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

from schemas.errors import UsageError, WetreadError
from wetread.models.artefact import Artefact
from wetread.models.strict_json import canonical, pretty
from wetread.whole_file import AS_UMASK_SAYS, write_whole

FORMATS = ("onnx", "keras")

NOTICE = "Research software: not for diagnostic use."

DESCRIPTION_FILE = "wetread.json"
"""In the archive that a `.keras` file is; Keras passes it by."""


def write_network(artefact: Artefact, form: str, path: str | os.PathLike[str]) -> None:
    """Write the network of `artefact` as the new file `path`; `form` is one of `FORMATS`.

    Raises UsageError when `path` exists or the form's library is not installed; WetreadError when it cannot be
    written.
    """
    target = os.path.abspath(path)
    if form == "keras" and not target.endswith(".keras"):
        raise UsageError(f"expected a file name that ends with .keras, found {target}: Keras opens no other")
    if os.path.lexists(target):
        raise UsageError(f"expected no {target} yet, found one; a model is never overwritten: choose another place")
    data = network_bytes(artefact, form)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    except OSError as error:
        raise WetreadError(
            f"expected to write a network to {target}, found: {error.strerror}; nothing was kept"
        ) from error
    try:
        write_whole(target, data, mode=AS_UMASK_SAYS, new=True)
    except FileExistsError as error:
        raise UsageError(f"expected no {target} yet, found one made just now; choose another place") from error


def network_bytes(artefact: Artefact, form: str) -> bytes:
    """Return the network as a file of this format; raise UsageError where it cannot be made, or is unknown."""
    if form == "onnx" and artefact.onnx:
        return artefact.onnx
    if form == "onnx":
        return _onnx_bytes(artefact)
    if form == "keras":
        return _keras_bytes(artefact)
    raise UsageError(f"expected a format among {', '.join(FORMATS)}, found {form!r}")


def _onnx_bytes(artefact: Artefact) -> bytes:
    """Return the bytes of an ONNX file: equal models give equal bytes.

    `build_onnx` says what goes in and comes out; `describe_network` is in metadata_props. Raises UsageError
    where the package onnx is not installed.
    """
    from wetread.models.onnx_graph import build_onnx
    from wetread.models.onnx_runtime import import_onnx

    onnx = import_onnx()
    card = artefact.card
    model = build_onnx(card.architecture, artefact.weights, metadata=describe_network(artefact))
    model.doc_string = NOTICE
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _keras_bytes(artefact: Artefact) -> bytes:
    """Return the bytes of a `.keras` file from preprocessed images (n, h, w, 1) to logits (n, k).

    It has layers of Keras's own alone, and opens with `safe_mode`. Raises UsageError where TensorFlow is not installed.
    """
    from wetread.models.keras_network import build_keras, set_weights

    architecture = artefact.card.architecture
    model = build_keras(architecture, seed=0)
    set_weights(model, architecture, artefact.weights)
    with tempfile.TemporaryDirectory(prefix="wetread-") as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(DESCRIPTION_FILE, pretty(describe_network(artefact)))
        return Path(path).read_bytes()


def describe_network(artefact: Artefact) -> dict[str, str]:
    """Return name -> text, JSON where it is more than one word; the digests are those that readings carry."""
    card, decision = artefact.card, artefact.decision
    return {
        "notice": NOTICE,
        "name": card.name,
        "version": str(card.version),
        "labels": _json(list(card.labels)),
        "preprocessing": _json(card.preprocess.to_json()),
        "probabilities": "softmax(logits / temperature)",
        "temperature": repr(decision.temperature),
        "thresholds": _json(dict(decision.thresholds)),
        "model_digest": artefact.digest,
        "decision_digest": decision.digest,
    }


def _json(body: object) -> str:
    return canonical(body).decode()
