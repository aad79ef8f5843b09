"""What one large film costs a worker's core, by how it is stored: `python -m benchmarks.film_costs [--size 2500 2048]`.

The film is drawn, with 12 bits and the noise of a detector. Milliseconds of a core, the median of --times: its SHA-256,
which reading threads make, and all from bytes to the shipped network's input. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable
from statistics import median

from worker.child import limit_threads

NOISE = 12.0
"""Deviation of a pixel, of 4,096 levels."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(2500, 2048), help="height and width, pixels")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    limit_threads()
    from wetread.imaging.decode import decode
    from wetread.models.artefact import load_artefact
    from wetread.models.shipped import SHIPPED, shipped_directory

    preprocess = load_artefact(shipped_directory("chest-cnn"), SHIPPED["chest-cnn"]).card.preprocess
    print("| stored as | MB | SHA-256, ms | to the network's input, ms |\n|---|---|---|---|")
    for name, data in films(*given.size).items():
        hashed = _core_milliseconds(lambda data=data: hashlib.sha256(data), given.times)  # type: ignore[misc]  # a default that binds now
        prepared = _core_milliseconds(lambda data=data: preprocess.apply(decode(data).pixels), given.times)  # type: ignore[misc]  # the same
        print(f"| {name} | {len(data) / 1e6:.1f} | {hashed:.1f} | {prepared:.1f} |", flush=True)


def films(height: int, width: int) -> dict[str, bytes]:
    """Return one drawn film of 12 bits, by how it is stored."""
    import numpy as np
    from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

    from tests.unit.imaging.dicoms import dicom
    from trainer.phantom_anatomy import Anatomy
    from trainer.phantom_film import Finding, draw_film
    from wetread.imaging.opencv import cv2

    random = np.random.default_rng(1)
    drawn = draw_film(Anatomy.drawn(random), Finding.drawn("normal", random), (height, width), random)
    pixels = np.clip(drawn * 4095 + random.normal(0, NOISE, drawn.shape), 0, 4095).astype(np.uint16)
    syntaxes = {
        "DICOM, uncompressed": ExplicitVRLittleEndian, "DICOM, RLE": RLELossless, "DICOM, JPEG-LS": JPEGLSLossless,
        "DICOM, JPEG lossless": JPEGLosslessSV1, "DICOM, JPEG 2000 lossless": JPEG2000Lossless,
    }  # fmt: skip
    stored = {name: dicom(pixels, syntax, bits=12) for name, syntax in syntaxes.items()}
    return stored | {"PNG, 16 bits": cv2.imencode(".png", pixels * 16)[1].tobytes()}


def _core_milliseconds(act: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        began = time.thread_time()
        act()
        spent.append(1000 * (time.thread_time() - began))
    return median(spent)


if __name__ == "__main__":
    main()
