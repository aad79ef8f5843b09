"""Another's ONNX file tried out in a process of its own, under a bound of memory and time, before it is kept.

`python -m wetread.models.onnx_probe` takes one line of JSON and the file on stdin, and gives one JSON object. What the
file says of itself is not believed: it is run on drawn pictures, one at a time and together, twice.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from schemas.errors import ArtefactError, UsageError, WetreadError
from wetread.imaging.preprocess import Preprocess
from wetread.models.another_classifier import AnotherSession
from wetread.models.another_network import AnotherNetwork, FloatArray
from wetread.models.artefact import ModelContents
from wetread.models.asked_network import AskedNetwork
from wetread.models.card import Provenance
from wetread.models.onnx_file import checked_onnx

SECONDS = 120.0
"""That opening the file and reading a dozen pictures may take."""
FILM_SECONDS = 2.0
"""The longest that one film may take on one core."""
TOGETHER = 8
"""Films at most in one call: what a network needs for each of them at once is the worker's memory."""
_CLOSE = 1e-3
_PICTURES = 4


def imported(data: bytes, asked: AskedNetwork, name: str, memory_bytes: int) -> ModelContents:
    """Return the model that the file in `data` becomes; raise as `tried` does."""
    found = tried(data, asked, memory_bytes)
    origin = {"producer": found["producer"], "film_seconds": round(found["film_seconds"], 4)}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return ModelContents(
        name=name,
        architecture=AnotherNetwork.from_json(found["network"]),
        weights={},
        labels=asked.read_labels,
        preprocess=Preprocess.from_json(found["preprocess"]),
        provenance=Provenance(engine="onnx", arch="imported", seed=0, created_at=created, extra={"imported": origin}),
        onnx=data,
    )


def tried(data: bytes, asked: AskedNetwork, memory_bytes: int, *, seconds: float = SECONDS) -> dict[str, Any]:
    """Return {"network", "preprocess", "producer", "film_seconds"} of the file in `data`, tried out.

    memory_bytes: that the process which tries it may have of its own. Raises ArtefactError where the file is not
    let in, does not fit what is asked, or takes too much, UsageError where ONNX Runtime is not installed.
    """
    order = {"asked": asked.to_json(), "memory_bytes": memory_bytes, "seconds": seconds}
    command = [sys.executable, "-P", "-m", "wetread.models.onnx_probe"]
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=json.dumps(order).encode() + b"\n" + data, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ArtefactError(
            f"expected a network that is opened and reads some films within {seconds:g} s, found that it does not; "
            "import a smaller one"
        ) from error
    try:
        found: dict[str, Any] = json.loads(ended.stdout)
    except ValueError as error:
        said = ended.stderr.decode("utf-8", "replace").strip().split("\n")[-1][:200]
        raise ArtefactError(
            f"expected a network that can be tried out with {memory_bytes:,} bytes of memory, found that the process "
            f"which tried it ended with {ended.returncode}: {said or 'nothing was said'}; import another file"
        ) from error
    if "fault" in found:
        raise (UsageError if found["usage"] else ArtefactError)(found["fault"])
    return found


def main() -> None:
    """Try the file on stdin out, and print what was found or what is wrong."""
    line, _, data = sys.stdin.buffer.read().partition(b"\n")
    order = json.loads(line)
    _bound(order["memory_bytes"], order["seconds"])
    try:
        found = _tried(data, AskedNetwork.from_json(order["asked"]))
    except MemoryError:
        found = {"usage": False, "fault": _too_much(order["memory_bytes"])}
    except WetreadError as error:
        found = {"usage": type(error) is UsageError, "fault": str(error)}
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises what it likes, and the file is a stranger's
        said = " ".join(str(error).split())[:300]
        fault = f"expected a network that ONNX Runtime reads films with, found: {said}; export it again"
        found = {"usage": False, "fault": _too_much(order["memory_bytes"]) if "alloc" in said.lower() else fault}
    sys.stdout.write(json.dumps(found))


def _too_much(memory_bytes: int) -> str:
    return (
        f"expected a network that needs at most {memory_bytes:,} bytes of memory, found one that needs more; import a "
        "smaller one, or raise WETREAD_MEMORY_BYTES, here and for the workers"
    )


def _bound(memory_bytes: int, seconds: float) -> None:
    for what, most in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CPU, int(seconds) + 1)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _tried(data: bytes, asked: AskedNetwork) -> dict[str, Any]:
    described = checked_onnx(data)
    network, preprocess = asked.network_of(described)
    session = AnotherSession(network, data, threads=1)
    films = np.stack([preprocess.scaled(levels)[..., None] for levels in _pictures(network)])
    alone = np.concatenate([session.read(films[place : place + 1]) for place in range(len(films))])
    started = time.process_time()
    again = np.concatenate([session.read(films[place : place + 1]) for place in range(len(films))])
    film_seconds = (time.process_time() - started) / len(films)
    _check(alone, again, film_seconds)
    together = _together(session, films, alone, open_batch=described.taken.sides[0] is None)
    return {
        "network": replace(network, together=together).to_json(),
        "preprocess": preprocess.to_json(),
        "producer": described.producer,
        "film_seconds": film_seconds,
    }


def _pictures(network: AnotherNetwork) -> list[Any]:
    drawn = np.random.default_rng(0).integers(0, 256, (_PICTURES - 2, network.height, network.width), np.uint8)
    # Nearly black: a film that is all of one value never reaches a network, which may divide by its greatest.
    dark = np.zeros((network.height, network.width), np.uint8)
    dark[::2, ::2] = 1
    ramp = np.linspace(0, 255, network.width).astype(np.uint8)
    return [*drawn, np.tile(ramp, (network.height, 1)), dark]


def _check(alone: FloatArray, again: FloatArray, film_seconds: float) -> None:
    if not np.isfinite(alone).all():
        raise ArtefactError("expected finite outputs, found NaN or infinity for a drawn picture; see its input range")
    if not np.array_equal(alone, again):
        raise ArtefactError("expected the same for the same picture, found another answer the second time")
    if (alone == alone[0]).all():
        raise ArtefactError("expected answers that differ from picture to picture, found the same for all of them")
    if film_seconds > FILM_SECONDS:
        raise ArtefactError(f"expected at most {FILM_SECONDS:g} s a film on one core, found {film_seconds:.1f}")


def _together(session: AnotherSession, films: FloatArray, alone: FloatArray, *, open_batch: bool) -> int:
    """Return how many films it may take in one call; raise ArtefactError where a film's answer rests on the others."""
    if not open_batch:
        return 1
    try:
        many = np.concatenate([films[::-1], films])[:TOGETHER]  # as many as a worker gives it: memory counts too
        both = session.read(many)[: len(films)][::-1]
    except (MemoryError, ArtefactError):
        raise
    except Exception:  # noqa: BLE001 - the file leaves the number open, and can read one at a time alone
        return 1
    if both.shape != alone.shape or not np.allclose(
        both, alone, rtol=_CLOSE, atol=_CLOSE * max(1, np.abs(alone).max())
    ):
        raise ArtefactError(
            "expected an answer for each film that does not depend on those beside it, found that it does; export the "
            "network as it is for reading (in PyTorch, after model.eval())"
        )
    return TOGETHER


if __name__ == "__main__":
    main()
