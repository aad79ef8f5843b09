"""A process that reads films for the pages: `python -m web.film_child`. What a film does to it, it does to no page.

It takes a JSON object a line on standard input and answers each with one, followed by as many bytes as "bytes" says.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import resource
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np

from schemas.errors import Rejected, UsageError, WetreadError
from schemas.films import Accepted
from wetread.imaging.decode import Grey, decode
from wetread.imaging.files import read_file
from wetread.imaging.grey import Pixels
from wetread.imaging.header import Enough
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.range import normalise
from wetread.models.artefact import Artefact, load_artefact

SHOWN_PIXELS = 36_000_000
"""A larger film is halved until it has no more: a browser has to hold four bytes of each."""

THUMB_SIDE = 192
_GZIP_LEVEL = 1

Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    """Set the limits that the command line names, and answer until standard input ends."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin.buffer:
        _send(out, *answered(json.loads(line)))


def answered(order: dict[str, Any]) -> Answer:
    """Return the answer to an order, and what follows it; "fault" is in it where the film cannot be shown."""
    try:
        file = read_file(base64.b64decode(order["root"]), base64.b64decode(order["path"]), order["file_bytes"])
        head, data = _MADE[order["what"]](file.data, order)
        return head | {"sha256": file.sha256}, data
    except Rejected as error:
        return {"fault": f"{error.reason}: {error.detail}"}, b""
    except WetreadError as error:
        return {"fault": str(error)}, b""
    except MemoryError:
        return {"fault": "it needs more memory than a film may take"}, b""


def _film(data: bytes, order: dict[str, Any]) -> Answer:
    """Make the whole film: its values as 16 bits, little-endian, row by row, compressed by gzip."""
    grey = _decoded(data, order, Enough())
    values, halved = grey.pixels, 0
    while values.size > SHOWN_PIXELS:
        values, halved = cv2.resize(values, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), halved + 1
    values, low, high = window_of(values)
    height, width = values.shape
    packed = gzip.compress(np.ascontiguousarray(values, "<u2").tobytes(), _GZIP_LEVEL, mtime=0)
    head = {
        "width": width, "height": height, "low": low, "high": high, "bits": grey.bits, "format": str(grey.format),
        "halved": halved, "notes": [str(note) for note in grey.notes],
    }  # fmt: skip
    return head, packed


def window_of(values: Pixels) -> tuple[Pixels, float, float]:
    """Return the film as uint16, and the window in which it is shown first: values of black and of white.

    A film of 8 bits is shown as it is; a deeper one from its least to its greatest value.
    """
    if values.dtype == np.uint8:
        return values.astype(np.uint16), 0.0, 255.0
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint16:
        return values, low, high
    share = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.rint(share * 65535).astype(np.uint16), 0.0, 65535.0


def _thumb(data: bytes, order: dict[str, Any]) -> Answer:
    grey = _decoded(data, order, Enough(2 * THUMB_SIDE, 2 * THUMB_SIDE))
    height, width = grey.pixels.shape
    factor = THUMB_SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(grey.pixels, size, interpolation=cv2.INTER_AREA) if factor < 1 else grey.pixels
    return {}, _png(normalise(small))


def _as_read(data: bytes, order: dict[str, Any]) -> Answer:
    """Make the film after CLAHE and brightness, as the model's record has it, at the working size."""
    preprocess = Preprocess.from_json(order["preprocess"])
    if preprocess.lung_field is not None:  # the record names a segmenter, which lies among the model's files
        preprocess = _artefact(order["directory"], order["digest"]).card.preprocess
    return {}, _png(preprocess.steps(_decoded(data, order, preprocess.enough).pixels).brightened)


def _decoded(data: bytes, order: dict[str, Any], enough: Enough) -> Grey:
    return decode(data, enough, Accepted.from_json(order["accepted"]))


def _png(levels: Pixels) -> bytes:
    _, encoded = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return bytes(encoded)


def _map(data: bytes, order: dict[str, Any]) -> Answer:
    """Make where the model looks: what speaks for the label that the order names, and against it."""
    from wetread.explain.film_map import film_map, overlay_png
    from wetread.explain.methods import methods_of

    artefact = _artefact(order["directory"], order["digest"])
    pixels = _decoded(data, order, artefact.card.preprocess.enough).pixels
    method = next((one for one in methods_of(artefact) if one not in order["refused"]), None)
    if method is None:
        raise UsageError("no map of this model says what it uses: `wetread explain check` refused every method")
    found = film_map(artefact, pixels, method, order["label"])
    return {"method": found.method, "label": found.label}, overlay_png(found, *pixels.shape)


@lru_cache(maxsize=4)
def _artefact(directory: str, digest: str) -> Artefact:
    return load_artefact(directory, trusted_digest=digest)


_MADE: dict[str, Callable[[bytes, dict[str, Any]], Answer]] = {
    "film": _film,
    "thumb": _thumb,
    "as_read": _as_read,
    "map": _map,
}


def _send(out: BinaryIO, head: dict[str, Any], data: bytes) -> None:
    out.write(json.dumps(head | {"bytes": len(data)}).encode() + b"\n" + data)
    out.flush()


if __name__ == "__main__":
    main()
