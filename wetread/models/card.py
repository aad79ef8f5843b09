"""model.json: what a model is, where it came from, and the digests of its parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.architecture import Architecture
from schemas.errors import ArtefactError, UsageError
from schemas.labels import checked_labels
from wetread.imaging.preprocess import Preprocess
from wetread.models.another_network import AnotherNetwork
from wetread.models.digest import model_digest, sha256_hex
from wetread.models.gate import Gate
from wetread.models.shapes import network_shapes
from wetread.models.strict_json import Kinds, canonical, parse, pretty, taken

CARD_FORMAT = 1

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def checked_name(name: str) -> str:
    """Return `name` when it can name a model and its folder; raise UsageError otherwise."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"model name {name!r}: expected a lower-case letter, then lower-case letters, digits, '_', '.' and '-', "
            "at most 64"
        )
    return name


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a model came from, for a reader who wants to train it again.

    engine, arch: what trained it ("keras" or "numpy") and the architecture's name ("cnn").
    seed: of splits, first weights and shuffling.
    data_manifest_digest, split_digest: of the list of training files and of who was held out; None if unknown.
    commit: of the program's source; None outside a checkout.
    libraries: name -> version. created_at: ISO 8601, UTC. extra: anything else that JSON holds.
    """

    engine: str
    arch: str
    seed: int
    created_at: str
    data_manifest_digest: str | None = None
    split_digest: str | None = None
    commit: str | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "engine": self.engine,
            "arch": self.arch,
            "seed": self.seed,
            "created_at": self.created_at,
            "data_manifest_digest": self.data_manifest_digest,
            "split_digest": self.split_digest,
            "commit": self.commit,
            "libraries": dict(self.libraries),
            "extra": dict(self.extra),
        }

    @property
    def unsafe_findings(self) -> tuple[str, ...]:
        """What the audit of the training data found unsafe, in sentences; empty where nothing was, or none was made."""
        audit = self.extra.get("audit")
        if not isinstance(audit, dict) or not audit.get("unsafe"):
            return ()
        findings = audit.get("findings")
        unsafe = [
            str(finding.get("text"))
            for finding in (findings if isinstance(findings, list) else ())
            if isinstance(finding, dict) and finding.get("severity") == "unsafe"
        ]
        return tuple(unsafe) or ("its audit does not say what",)

    @classmethod
    def from_json(cls, body: Any) -> Provenance:
        """Return the provenance in `body`; raise ArtefactError when it is malformed."""
        optional = (str, type(None))
        fields: dict[str, Kinds] = {
            "engine": str, "arch": str, "seed": int, "created_at": str, "data_manifest_digest": optional,
            "split_digest": optional, "commit": optional, "libraries": dict, "extra": dict,
        }  # fmt: skip
        return cls(**taken(body, fields, "model.json: provenance"))


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The content of model.json.

    network: an architecture, or what stands in its place where the network is another's ONNX file.
    labels: in the order of the logits. gate: the input gate (`wetread.models.gate`); None when there is none.
    weights_sha256: of the bytes of weights.safetensors, or of network.onnx.
    documents: the other files' names -> their SHA-256.
    """

    name: str
    version: int
    network: Architecture | AnotherNetwork
    labels: tuple[str, ...]
    preprocess: Preprocess
    weights_sha256: str
    provenance: Provenance
    gate: Mapping[str, Any] | None = None
    documents: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked_name(self.name)
        checked_labels(self.labels)
        if self.version < 1:
            raise ArtefactError(f"model {self.name}: expected a version of at least 1, found {self.version}")
        if self.gate is not None:
            Gate.from_json(self.gate)
        if isinstance(self.network, AnotherNetwork):
            logits: tuple[int, ...] = (self.network.logits,)
        else:
            logits = network_shapes(self.network).logits
        if logits != (len(self.labels),):
            raise ArtefactError(f"model {self.name}: expected {len(self.labels)} logits, found an output of {logits}")
        size = (self.preprocess.height, self.preprocess.width, 1)
        if self.film_shape != size:
            raise ArtefactError(f"model {self.name}: preprocessing gives {size}, the network takes {self.film_shape}")

    @property
    def architecture(self) -> Architecture:
        """The network's layers; raise UsageError, with the cure, where it is another's ONNX file."""
        if isinstance(self.network, AnotherNetwork):
            raise UsageError(
                f"model {self.name}: expected a network with layers of our own, found another's ONNX file, which ONNX "
                "Runtime alone reads: use --engine onnx, or a model that wetread trained"
            )
        return self.network

    @property
    def film_shape(self) -> tuple[int, int, int]:
        """What preprocessing gives of a film: (height, width, 1)."""
        if isinstance(self.network, AnotherNetwork):
            return (self.network.height, self.network.width, 1)
        return self.network.input_shape

    @property
    def digest(self) -> str:
        """The model's digest; wetread.models.digest says what it covers."""
        return model_digest(
            architecture=self.network.to_json(),
            weights_sha256=self.weights_sha256,
            labels=self.labels,
            preprocessing=self.preprocess.to_json(),
            gate=self.gate,
        )

    def encode(self) -> bytes:
        """Return the bytes of model.json, sealed by the SHA-256 of everything else in it."""
        body: dict[str, Any] = {
            "format": CARD_FORMAT,
            "name": self.name,
            "version": self.version,
            "digest": self.digest,
            "architecture": self.network.to_json(),
            "labels": list(self.labels),
            "preprocessing": self.preprocess.to_json(),
            "gate": self.gate,
            "weights_sha256": self.weights_sha256,
            "provenance": self.provenance.to_json(),
            "documents": dict(self.documents),
        }
        return pretty(body | {"seal": sha256_hex(canonical(body))})


def decode_card(data: bytes) -> tuple[ModelCard, str]:
    """Return the card in the bytes of model.json, and the digest that it claims, which nobody has checked yet.

    Raises ArtefactError when the bytes are not exactly what `ModelCard.encode` writes: a card that was
    edited by hand is not the card that was trained.
    """
    fields: dict[str, Kinds] = {
        "format": int, "name": str, "version": int, "digest": str, "architecture": dict, "labels": list,
        "preprocessing": dict, "gate": (dict, type(None)), "weights_sha256": str, "provenance": dict,
        "documents": dict, "seal": str,
    }  # fmt: skip
    body = taken(parse(data, "model.json"), fields, "model.json")
    if body["format"] != CARD_FORMAT:
        raise ArtefactError(f"model.json: expected format {CARD_FORMAT}, found {body['format']}; upgrade this program")
    seal = sha256_hex(canonical({key: value for key, value in body.items() if key != "seal"}))
    if seal != body["seal"] or pretty(body) != data:
        raise ArtefactError(
            f"model.json: expected seal {seal}, found {body['seal']}, or text that this program did not write; "
            "it was altered: fetch the model again"
        )
    for what, value in (("weights_sha256", body["weights_sha256"]), *body["documents"].items()):
        if not isinstance(value, str) or not _SHA256.fullmatch(value):
            raise ArtefactError(f"model.json: expected a SHA-256 for {what}, found {value!r}")
    try:
        card = ModelCard(
            name=body["name"],
            version=body["version"],
            network=_network(body["architecture"]),
            labels=tuple(body["labels"]),
            preprocess=Preprocess.from_json(body["preprocessing"]),
            weights_sha256=body["weights_sha256"],
            provenance=Provenance.from_json(body["provenance"]),
            gate=body["gate"],
            documents=body["documents"],
        )
    except (TypeError, ValueError, UsageError) as error:
        raise ArtefactError(f"model.json: {error}") from error
    return card, body["digest"]


def _network(body: dict[str, Any]) -> Architecture | AnotherNetwork:
    return AnotherNetwork.from_json(body) if "onnx" in body else Architecture.from_json(body)
