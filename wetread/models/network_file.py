"""A model's network as one file of a standard form, written whole or not at all."""

from __future__ import annotations

import os

from schemas.errors import UsageError, WetreadError
from wetread.models.artefact import Artefact
from wetread.whole_file import AS_UMASK_SAYS, write_whole

FORMATS = ("onnx", "keras")


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
    data = _encode(artefact, form)
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


def _encode(artefact: Artefact, form: str) -> bytes:
    if form == "onnx":
        from wetread.models.onnx_export import onnx_bytes

        return onnx_bytes(artefact)
    if form == "keras":
        from wetread.models.keras_export import keras_bytes

        return keras_bytes(artefact)
    raise UsageError(f"expected a format among {', '.join(FORMATS)}, found {form!r}")
