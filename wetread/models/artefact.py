"""A model as a directory of plain data: written once, and checked before it is used.

    model.json            the card: what the model is, and the digests of all the rest
    weights.safetensors   the numbers; network.onnx in its place where the network is another's
    decision.json         temperature and thresholds
    lung_field.safetensors  the segmenter, for a model that reads lungs alone
    metrics.json, history.json, MODEL_CARD.md, plots    documents, for people

Nothing in it is a program. `load_artefact` works in this order, and each step needs the one before:
model.json is small and strict JSON; the bytes of weights.safetensors have the card's SHA-256; the digest
worked out anew is the card's, and the one the caller trusts; only then are those same bytes, read once,
parsed as safetensors and held to the architecture. The segmenter's bytes have the SHA-256 in the card's preprocessing,
which the digest covers. No pickle, Keras file or Lambda has a way in.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.architecture import Architecture
from schemas.errors import ArtefactError, UsageError, WetreadError
from wetread.imaging.preprocess import Preprocess
from wetread.models.another_network import NETWORK_BYTES_LIMIT, NETWORK_FILE, AnotherNetwork
from wetread.models.card import ModelCard, Provenance, decode_card
from wetread.models.decision import Decision
from wetread.models.digest import sha256_hex
from wetread.models.field_network import FIELD_BYTES_LIMIT, FIELD_FILE, FieldFinder, decode_field, encode_field
from wetread.models.files import read_file, write_file
from wetread.models.strict_json import parse, pretty
from wetread.models.weights import Weights, decode_weights, encode_weights

CARD_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"
DECISION_FILE = "decision.json"
LOADED_FILES = frozenset({CARD_FILE, WEIGHTS_FILE, NETWORK_FILE, DECISION_FILE, FIELD_FILE})

JSON_BYTES_LIMIT = 4 * 1024 * 1024
WEIGHTS_BYTES_LIMIT = 1024**3 + JSON_BYTES_LIMIT
DOCUMENT_BYTES_LIMIT = 32 * 1024 * 1024

_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.(csv|html|json|md|png|svg|txt)")


@dataclass(frozen=True, slots=True)
class ModelContents:
    """Everything of a model but the version that the registry gives it.

    weights: "layer/weight" -> float32 array. onnx: the bytes of another's network instead.
    metrics, history: what JSON holds, without NaN.
    documents: further files, such as MODEL_CARD.md and plots: file name -> bytes.
    """

    name: str
    architecture: Architecture | AnotherNetwork
    weights: Weights
    labels: tuple[str, ...]
    preprocess: Preprocess
    provenance: Provenance
    gate: Mapping[str, Any] | None = None
    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    onnx: bytes = b""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model that passed every check. weights: read-only arrays; of another's network there are `onnx`, bytes."""

    card: ModelCard
    weights: Weights
    decision: Decision
    onnx: bytes = field(default=b"", repr=False)

    @property
    def digest(self) -> str:
        """The digest that its readings belong to."""
        return self.card.digest


def save_artefact(directory: str | os.PathLike[str], contents: ModelContents, *, version: int = 1) -> Artefact:
    """Write the model as `directory`, whole or not at all, and return it as read back from there.

    Raises UsageError when `directory` exists: a model is never overwritten; ArtefactError when the
    contents do not fit together.
    """
    return _write(directory, _encode(contents, version))


def copy_artefact(
    source: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    version: int | None = None,
    documents: Mapping[str, bytes] | None = None,
    decision: Decision | None = None,
) -> Artefact:
    """Write the verified model in `source` as `directory` too, with the same bytes of weights and the same digest.

    version: another one for the copy. documents: other files for people in place of the source's, such as
    a card with an evaluation; metrics.json and history.json among them. decision: in place of the source's. Raises as
    `save_artefact` and `verify_artefact` do.
    """
    original = verify_artefact(source)
    if documents is None:
        documents = read_documents(source, original.card)
    hashes = {_document_name(name): sha256_hex(data) for name, data in documents.items()}
    card = replace(original.card, version=version or original.card.version, documents=hashes)
    own = {
        CARD_FILE: card.encode(),
        _numbers_file(original.card): _read_numbers(source, original.card),
        DECISION_FILE: pretty((decision or original.decision).to_json()),
        **_field_file(original.card.preprocess),
    }
    return _write(directory, own | dict(documents))


def load_artefact(directory: str | os.PathLike[str], trusted_digest: str | None = None) -> Artefact:
    """Return the model in `directory` after the checks that the module's docstring lists.

    trusted_digest: from the registry's database; None when the directory is all there is to go by.
    Raises ArtefactError at the first check that fails; nothing after it is read.
    """
    card, claimed = decode_card(read_file(directory, CARD_FILE, JSON_BYTES_LIMIT))
    numbers = _read_numbers(directory, card)
    found = sha256_hex(numbers)
    if found != card.weights_sha256:
        raise ArtefactError(
            f"{_numbers_file(card)} of {card.name}: expected SHA-256 {card.weights_sha256}, found {found}; it was "
            "altered or damaged: fetch the model again"
        )
    digest = card.digest
    for whose, expected in (("its card", claimed), ("the registry", trusted_digest or digest)):
        if digest != expected:
            raise ArtefactError(
                f"model {card.name}: expected digest {expected}, as {whose} says, found {digest}; it is another "
                "model or was altered: fetch it again, or import it as a model of its own"
            )
    decision = Decision.from_json(parse(read_file(directory, DECISION_FILE, JSON_BYTES_LIMIT), DECISION_FILE))
    decision.check_labels(card.labels)
    if decision.model_digest != digest:
        raise ArtefactError(f"{DECISION_FILE}: expected one for model {digest}, found {decision.model_digest}")
    if isinstance(card.network, AnotherNetwork):
        if card.preprocess.lung_field is not None:
            raise ArtefactError(f"model {card.name}: expected no lung field before another's network, found one")
        return Artefact(card, {}, decision, numbers)
    preprocess = _with_field(directory, card)
    return Artefact(replace(card, preprocess=preprocess), decode_weights(card.network, numbers), decision)


def verify_artefact(directory: str | os.PathLike[str], trusted_digest: str | None = None) -> Artefact:
    """Return the model in `directory` after the checks of `load_artefact` and those of every other file.

    Raises ArtefactError also when a document differs from the card's SHA-256, is missing, or is not listed.
    """
    artefact = load_artefact(directory, trusted_digest)
    read_documents(directory, artefact.card)
    loaded = {CARD_FILE, DECISION_FILE, _numbers_file(artefact.card)}
    loaded |= {FIELD_FILE} if artefact.card.preprocess.lung_field else set()
    if unknown := sorted(set(os.listdir(directory)) - set(artefact.card.documents) - loaded):
        raise ArtefactError(f"model {artefact.card.name}: expected only the card's files, found also {unknown}")
    if pretty(artefact.decision.to_json()) != read_file(directory, DECISION_FILE, JSON_BYTES_LIMIT):
        raise ArtefactError(
            f"{DECISION_FILE}: expected the text that was written, found another; fetch the model again"
        )
    return artefact


def read_documents(directory: str | os.PathLike[str], card: ModelCard) -> dict[str, bytes]:
    """Return the documents that `card` lists, name -> bytes; raise ArtefactError when one is not as it was saved."""
    return {name: read_document(directory, card, name) for name in card.documents}


def read_document(directory: str | os.PathLike[str], card: ModelCard, name: str) -> bytes:
    """Return one document that `card` lists; raise ArtefactError when it is not as it was saved."""
    data, expected = read_file(directory, _document_name(name), DOCUMENT_BYTES_LIMIT), card.documents[name]
    if (found := sha256_hex(data)) != expected:
        raise ArtefactError(f"{name} of {card.name}: expected SHA-256 {expected}, found {found}; fetch the model again")
    return data


def _write(directory: str | os.PathLike[str], files: Mapping[str, bytes]) -> Artefact:
    """Write `files` beside `directory`, check them there, and rename them as one, so that none sees half a model."""
    target = os.path.abspath(directory)
    if os.path.lexists(target):
        raise UsageError(f"expected no {target} yet, found one; a model is never overwritten: choose another place")
    beside = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.{secrets.token_hex(8)}.tmp")
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.mkdir(beside)
        for name, data in files.items():
            write_file(os.path.join(beside, name), data)
        artefact = verify_artefact(beside)
        os.rename(beside, target)
    except OSError as error:
        if os.path.lexists(target):
            raise UsageError(f"expected no {target} yet, found one made just now; choose another place") from error
        raise WetreadError(
            f"expected to write a model to {target}, found: {error.strerror}; nothing was kept"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return artefact


def _encode(contents: ModelContents, version: int) -> dict[str, bytes]:
    """Return file name -> bytes of the whole artefact."""
    documents = {_document_name(name): data for name, data in contents.documents.items()}
    for name, body in (("metrics.json", contents.metrics), ("history.json", contents.history)):
        if name in documents:
            raise ArtefactError(f"document {name}: expected it as its own argument, found it among the documents")
        documents[name] = pretty(dict(body))
    if isinstance(contents.architecture, AnotherNetwork):
        weights = contents.onnx
    else:
        weights = encode_weights(contents.architecture, contents.weights)
    card = ModelCard(
        name=contents.name,
        version=version,
        network=contents.architecture,
        labels=contents.labels,
        preprocess=contents.preprocess,
        weights_sha256=sha256_hex(weights),
        provenance=contents.provenance,
        gate=contents.gate,
        documents={name: sha256_hex(data) for name, data in documents.items()},
    )
    decision = Decision(card.digest, contents.temperature, contents.thresholds)
    decision.check_labels(card.labels)
    own = {CARD_FILE: card.encode(), _numbers_file(card): weights, DECISION_FILE: pretty(decision.to_json())}
    return own | _field_file(contents.preprocess) | documents


def _numbers_file(card: ModelCard) -> str:
    return NETWORK_FILE if isinstance(card.network, AnotherNetwork) else WEIGHTS_FILE


def _read_numbers(directory: str | os.PathLike[str], card: ModelCard) -> bytes:
    name = _numbers_file(card)
    return read_file(directory, name, WEIGHTS_BYTES_LIMIT if name == WEIGHTS_FILE else NETWORK_BYTES_LIMIT)


def _with_field(directory: str | os.PathLike[str], card: ModelCard) -> Preprocess:
    """Return the card's preprocessing, with the segmenter of the folder's file where it has a lung field."""
    record = card.preprocess.lung_field
    if record is None:
        return card.preprocess
    data = read_file(directory, FIELD_FILE, FIELD_BYTES_LIMIT)
    if (found := sha256_hex(data)) != record.network_sha256:
        raise ArtefactError(
            f"{FIELD_FILE} of {card.name}: expected SHA-256 {record.network_sha256}, found {found}; it was altered or "
            "damaged: fetch the model again"
        )
    loaded = decode_field(data)
    if loaded != record:
        raise ArtefactError(f"{FIELD_FILE} of {card.name}: expected {record}, found {loaded}; fetch the model again")
    return replace(card.preprocess, lung_field=loaded)


def _field_file(preprocess: Preprocess) -> dict[str, bytes]:
    """Return the file of the segmenter that the preprocessing has loaded; none without a lung field."""
    if preprocess.lung_field is None:
        return {}
    finder = preprocess.lung_field.finder
    if not isinstance(finder, FieldFinder):
        raise ArtefactError("lung field: expected a segmenter that is loaded, found none")
    return {FIELD_FILE: encode_field(finder.architecture, finder.weights)}


def _document_name(name: str) -> str:
    if not _DOCUMENT.fullmatch(name) or name in LOADED_FILES:
        raise ArtefactError(f"document {name!r}: expected a plain file name such as MODEL_CARD.md or history.png")
    return name
