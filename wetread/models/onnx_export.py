"""A model's network as a standard ONNX file, for programs other than this one."""

from __future__ import annotations

from wetread.models.artefact import Artefact
from wetread.models.network_description import NOTICE, describe_network
from wetread.models.onnx_graph import build_onnx
from wetread.models.onnx_runtime import import_onnx


def onnx_bytes(artefact: Artefact) -> bytes:
    """Return the bytes of an ONNX file: equal models give equal bytes.

    `build_onnx` says what goes in and comes out; `describe_network` is in metadata_props. Raises UsageError
    where the package onnx is not installed.
    """
    onnx = import_onnx()
    card = artefact.card
    model = build_onnx(card.architecture, artefact.weights, metadata=describe_network(artefact))
    model.doc_string = NOTICE
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString(deterministic=True)
    return data
