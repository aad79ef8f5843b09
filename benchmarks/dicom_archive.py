"""The sample archive as DICOM of 12 bits, in one transfer syntax or in each in turn, as a hospital's is.

    python -m benchmarks.dicom_archive TARGET [ARCHIVE] [--syntax all] [--films 171]

Each film has the noise of a detector, without which it would be smaller and cheaper than a real one. Beyond as many
films as ARCHIVE has come copies with other instance numbers, so that none is answered from another's reading.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.archives import archive_for

SYNTAXES = ("uncompressed", "RLE", "JPEG-LS", "JPEG-lossless", "JPEG-2000")
INSTANCE = b"1.2.826.0.1.3680043.8.498.1%09d"
"""Of the film of that number; of one length, so that a copy's can be written into its place."""

NOISE = 12.0
"""Deviation of a pixel, of 4,096 levels."""


def dicom_copies(source: Path, target: Path, count: int, syntax: str) -> list[bytes]:
    """Write `count` films, those of `source` over and over, in a syntax or in "all" in turn; return their paths."""
    films = [path for path in sorted(source.rglob("*")) if path.is_file() and path.suffix != ".csv"]
    paths = [
        Path(str(number // len(films))) / film.relative_to(source).with_name(film.name + ".dcm")
        for number, film in zip(range(count), itertools.cycle(films), strict=False)
    ]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for first, data in enumerate(_encoded(pool, films[:count], syntax)):
            for number in range(first, count, len(films)):
                path = target / paths[number]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data.replace(INSTANCE % 0, INSTANCE % (number + 1)))
    return [os.fsencode(path) for path in paths]


def _encoded(pool: ProcessPoolExecutor, films: list[Path], syntax: str) -> Iterator[bytes]:
    each = itertools.cycle(SYNTAXES if syntax == "all" else (syntax,))
    return pool.map(dicom_film, films, each, itertools.count())


def dicom_film(film: Path, syntax: str, seed: int) -> bytes:
    """Return a picture's file as DICOM of 12 bits in 16, of the size that it has."""
    import numpy as np
    from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

    from tests.unit.imaging.dicoms import dicom
    from wetread.imaging.decode import decode

    uids = (ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEGLosslessSV1, JPEG2000Lossless)
    grey = np.asarray(decode(film.read_bytes()).pixels, np.float64)
    grey = (grey - grey.min()) / max(float(np.ptp(grey)), 1.0)
    noise = np.random.default_rng(seed).normal(0, NOISE, grey.shape)
    pixels = np.clip(grey * 4095 + noise, 0, 4095).astype(np.uint16)
    uid = dict(zip(SYNTAXES, uids, strict=True))[syntax]
    return dicom(pixels, uid, bits=12, SOPInstanceUID=(INSTANCE % 0).decode())


def main() -> None:
    """Write the archive and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, help="a directory to make")
    parser.add_argument("archive", nargs="?", type=Path, help="default: ../shared/data/archive, or else drawn phantoms")
    parser.add_argument("--syntax", choices=("all", *SYNTAXES), default="all")
    parser.add_argument("--films", type=int, default=171)
    given = parser.parse_args()
    write = partial(dicom_copies, archive_for(given.archive, given.target.with_name(given.target.name + "-drawn")))
    paths = write(given.target, given.films, given.syntax)
    size = sum((given.target / os.fsdecode(path)).stat().st_size for path in paths)
    print(f"{len(paths)} films, {size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
