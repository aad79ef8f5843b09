"""What a film shows as one digest, by which it is known again in a file of other bytes.

Source of the form: docs/decisions/0027-one-digest-of-what-is-shown.md.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.grey import Pixels

FORM = b"picture 1"
"""A change of what is hashed is another form: digests of two forms are never equal."""
_LANES = 512
"""Sums of 8 bytes each: 4 KiB of the film are added to them at once."""


def picture_digest(pixels: Pixels, reduced: GreyLevels, display: bytes) -> str:
    """Return the digest of a film, 64 hexadecimal digits.

    pixels: as they are shown, (height, width). reduced: what becomes of them first, (height, width) uint8, from which
    all that a model says follows. display: what the file says of how it is displayed.
    The pixels come in by sums, of 8 bytes at 512 places in turn, since hashing all of them costs as much as reading
    the film does.
    """
    whole = np.ascontiguousarray(pixels).reshape(-1).view(np.uint8)
    lanes, rest = _sums(whole)
    made = hashlib.sha256(FORM)
    for part in (_layout(pixels), display, lanes.tobytes(), rest.tobytes(), _layout(reduced)):
        made.update(len(part).to_bytes(8, "little") + part)
    made.update(np.ascontiguousarray(reduced).data)
    return made.hexdigest()


def _sums(whole: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """Return the sums of 8 bytes each, modulo 2**64, and the bytes that are left over at the end."""
    turns = whole.size // (8 * _LANES)
    summed = whole[: turns * 8 * _LANES].view(np.uint64).reshape(turns, _LANES)
    return np.add.reduce(summed, axis=0, dtype=np.uint64), whole[turns * 8 * _LANES :]


def _layout(pixels: Pixels) -> bytes:
    return f"{pixels.dtype.str} {pixels.shape}".encode()
