"""How far the score of a film moves when its bit depth changes: the shipped model on an archive's large films.

    python -m benchmarks.depths [ARCHIVE]

Each 8-bit film above the working size is spread over the levels of 10, 12 and 16 bits; the steps are not even in all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.archives import REAL_ARCHIVE
from schemas.errors import Rejected
from wetread.imaging.decode import decode
from wetread.imaging.grey import Pixels
from wetread.models.artefact import load_artefact
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

DEPTHS = (10, 12, 16)

Grey = npt.NDArray[np.uint8]


def main(archive: Path) -> None:
    """Measure and print."""
    (name,) = SHIPPED
    artefact = load_artefact(shipped_directory(name), SHIPPED[name])
    classifier = load_classifier(artefact, "numpy")
    far: dict[int, list[float]] = {bits: [] for bits in DEPTHS}
    for film in large_films(archive, classifier.preprocess.working_size or 0):
        copies: list[Pixels] = [film, *(spread(film, bits) for bits in DEPTHS)]
        logits = classifier.read(classifier.preprocess.apply_many(copies)).logits
        first, *others = probabilities(logits, artefact.decision.temperature)
        for bits, other in zip(DEPTHS, others, strict=True):
            far[bits].append(float(np.abs(other - first).max()))
    print(f"{'copies of':>10}{'films':>8}{'median':>10}{'worst':>10}{'above 0.01':>12}")
    for bits, found in far.items():
        above = sum(one > 0.01 for one in found)
        print(f"{bits:>5} bits{len(found):>8}{np.median(found):>10.4f}{max(found):>10.4f}{above:>12}")


def large_films(archive: Path, side: int) -> list[Grey]:
    """Return the pixels of every 8-bit film with a side above `side`."""
    films = []
    for path in sorted(path for path in archive.rglob("*") if path.is_file()):
        try:
            pixels = decode(path.read_bytes()).pixels
        except Rejected:
            continue
        if pixels.dtype == np.uint8 and max(pixels.shape) > side:
            films.append(pixels.astype(np.uint8))
    return films


def spread(film: Grey, bits: int) -> npt.NDArray[np.uint16]:
    """Return the film over the levels of `bits` bits."""
    return np.asarray(np.rint(film * ((2**bits - 1) / 255)), dtype=np.uint16)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REAL_ARCHIVE)
