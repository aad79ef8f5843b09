"""What one large film costs a worker's core, by how it is stored, beside other programs.

    python -m benchmarks.film_costs [--sizes 1390x1080 2500x2048 3500x2860] [--bits 8 12] [--times 3] [--only RLE ...]

The film is drawn, with the noise of a detector. Milliseconds of processor time, the least of --times, from the bytes
of a file: decoding alone; all that lies between that and the shipped model's input; its SHA-256, which reading threads
make; the stored values by pydicom, with what it takes by default where pylibjpeg and GDCM are installed; and the whole
of dcmtk's dcmj2pnm or dcml2pnm, which starts a process, shows the film and writes nothing. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from worker.child import limit_threads

NOISE = 12.0
"""Deviation of a pixel, of 4,096 levels."""
DCMTK, DCMTK_JPEG_LS = "dcmj2pnm", "dcml2pnm"
SIZES = ("1390x1080", "2500x2048", "3500x2860")
COLUMNS = ("stored as", "megapixels", "bits", "MB", "decode", "the rest", "all", "SHA-256", "pydicom", "dcmtk")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="height x width, pixels")
    parser.add_argument("--bits", nargs="+", type=int, default=(8, 12), choices=(8, 12))
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=("",), help="kinds whose name has one of these words")
    given = parser.parse_args()
    limit_threads()
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for size in given.sizes:
        height, width = map(int, size.split("x"))
        for bits in given.bits:
            for name, data in films(height, width, bits):
                if any(word.lower() in name.lower() for word in given.only):
                    cells = [name, f"{height * width / 1e6:.1f}", str(bits), f"{len(data()) / 1e6:.1f}"]
                    print("| " + " | ".join([*cells, *costs(data(), given.times)]) + " |", flush=True)


def costs(data: bytes, times: int) -> Iterator[str]:
    """Yield the cells of one file, from `decode` on."""
    from wetread.imaging.decode import decode
    from wetread.models.artefact import load_artefact
    from wetread.models.shipped import SHIPPED, shipped_directory

    preprocess = load_artefact(shipped_directory("chest-cnn"), SHIPPED["chest-cnn"]).card.preprocess
    pixels = decode(data, preprocess.enough).pixels
    yield from _parts(
        _milliseconds(lambda: decode(data, preprocess.enough), times),
        _milliseconds(lambda: preprocess.apply(pixels), times),
    )
    yield f"{_milliseconds(lambda: hashlib.sha256(data), times):.1f}"
    if data.startswith(b"\x89PNG"):
        yield from ("", "")
        return
    yield _or_none(lambda: _milliseconds(lambda: _by_pydicom(data), times))
    yield _or_none(lambda: _by_dcmtk(data, times)) if shutil.which(DCMTK) else ""


def _parts(decoding: float, rest: float) -> Iterator[str]:
    yield from (f"{decoding:.1f}", f"{rest:.1f}", f"{decoding + rest:.1f}")


def films(height: int, width: int, bits: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield one drawn film by how it is stored: the name of the kind, and how to write it."""
    import imagecodecs
    import numpy as np
    from pydicom.encaps import encapsulate
    from pydicom.uid import (
        ExplicitVRLittleEndian,
        HTJ2KLossless,
        JPEG2000Lossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
        RLELossless,
    )

    from tests.unit.imaging.dicoms import dicom
    from trainer.phantoms.anatomy import Anatomy
    from trainer.phantoms.film import PhantomFinding, draw_film
    from wetread.imaging.opencv import cv2

    random = np.random.default_rng(1)
    drawn = draw_film(Anatomy.drawn(random), PhantomFinding.drawn("normal", random), (height, width), random)
    deep = np.clip(drawn * 4095 + random.normal(0, NOISE, drawn.shape), 0, 4095)
    pixels: Any = (deep / 16).astype(np.uint8) if bits == 8 else deep.astype(np.uint16)
    syntaxes = {
        "uncompressed": ExplicitVRLittleEndian, "RLE": RLELossless, "JPEG lossless": JPEGLosslessSV1,
        "JPEG-LS": JPEGLSLossless, "JPEG 2000 lossless": JPEG2000Lossless,
    }  # fmt: skip
    made: dict[str, bytes] = {}
    for name, syntax in syntaxes.items():
        yield name, lambda: made.setdefault(name, dicom(pixels, syntax, bits=bits))  # noqa: B023  called at once
        made.clear()
    stream = bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    yield "HTJ2K lossless", lambda: dicom(pixels, HTJ2KLossless, bits=bits, PixelData=encapsulate([stream]))
    png = cv2.imencode(".png", pixels * (1 if bits == 8 else 16))[1].tobytes()
    yield "PNG", lambda: png


def _milliseconds(act: Callable[[], object], times: int) -> float:
    """Return the least that `act` took of a core, of this process's own time."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        act()
        spent.append(1000 * (time.process_time() - began))
    return min(spent)


def _by_pydicom(data: bytes) -> object:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(BytesIO(data)).pixel_array


def _by_dcmtk(data: bytes, times: int) -> float:
    """Return the least that the program took of a core, its start included, to show the film."""
    from pydicom.uid import JPEGLSLossless

    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.dcm")
        film.write_bytes(data)
        program = DCMTK_JPEG_LS if str(JPEGLSLossless).encode() in data[:1000] else DCMTK
        spent = []
        for _ in range(times):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([program, "+op", film, "/dev/null"], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1000 * min(spent)


def _or_none(measure: Callable[[], float]) -> str:
    """Return the figure, or that there is none: not every program reads every kind."""
    try:
        return f"{measure():.0f}"
    except Exception:  # noqa: BLE001  whatever it is, the film is not read
        return "none"


if __name__ == "__main__":
    main()
