"""Reads and writes weights as safetensors, and checks them against an architecture.

Weights are a flat mapping "layer/weight" -> float32 array, in the layout of schemas.architecture. The
format is a JSON header and raw numbers: reading it runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from schemas.architecture import Architecture
from schemas.errors import ArtefactError
from wetread.models.shapes import network_shapes

Weights = Mapping[str, npt.NDArray[np.float32]]

_NEXT = "fetch the model again from where it was trained"


def encode_weights(architecture: Architecture, weights: Weights) -> bytes:
    """Return the safetensors bytes; equal weights give equal bytes. Raises ArtefactError as `checked_weights`."""
    checked = checked_weights(architecture, weights)
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in sorted(checked.items())})


def decode_weights(architecture: Architecture, data: bytes) -> Weights:
    """Return the weights in `data`, read-only; raise ArtefactError unless they are exactly the architecture's.

    The caller has compared the digest of these very bytes before.
    """
    try:
        loaded = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"weights.safetensors: expected safetensors, found a fault: {error}; {_NEXT}") from error
    return checked_weights(architecture, loaded)


def checked_weights(architecture: Architecture, weights: Weights, *, ends_in_map: bool = False) -> Weights:
    """Return `weights` as read-only arrays in the architecture's order; ends_in_map as `network_shapes` has it.

    Raises ArtefactError when a name is missing or unknown, when a shape or type differs, when a number is
    not finite, or when a variance is negative.
    """
    wanted = network_shapes(architecture, ends_in_map=ends_in_map).weights
    if set(weights) != set(wanted):
        missing, unknown = sorted(set(wanted) - set(weights)), sorted(set(weights) - set(wanted))
        raise ArtefactError(f"weights: expected the architecture's, missing {missing}, unknown {unknown}; {_NEXT}")
    return MappingProxyType({name: _checked(name, weights[name], shape) for name, shape in wanted.items()})


def _checked(name: str, array: npt.NDArray[np.float32], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    if array.shape != shape or array.dtype != np.float32:
        raise ArtefactError(f"weight {name}: expected float32 {shape}, found {array.dtype} {array.shape}; {_NEXT}")
    if not np.isfinite(array).all():
        raise ArtefactError(f"weight {name}: expected finite numbers, found NaN or infinity; {_NEXT}")
    if name.endswith("/moving_variance") and array.min() < 0:
        raise ArtefactError(f"weight {name}: expected variances of at least 0, found {array.min()}; {_NEXT}")
    own = array.view()
    own.flags.writeable = False
    return own
