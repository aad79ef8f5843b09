"""How far a model's scores move when a JPEG 2000 is decoded at a lower resolution level, by the pixels left.

    python -m benchmarks.wavelet_levels [ARCHIVE [KIND ...]]

Each large film of an archive is kept in a DICOM in 8 bits and, with noise in four more, in 12, by the reversible
wavelet and by the other. Probabilities of all pixels are compared with those of the least level that leaves the margin
times the working size; a margin of 0 is OpenCV's means of areas at the level of the first, for comparison. The levels
are those of JPEG 2000, whose wavelets HTJ2K has too and codes in a tenth of the time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2K

from benchmarks.archives import REAL_ARCHIVE
from benchmarks.depths import large_films
from tests.unit.imaging.dicoms import dicom
from wetread.imaging.decode import decode
from wetread.imaging.grey import Pixels
from wetread.imaging.header import Enough
from wetread.imaging.opencv import cv2
from wetread.models.artefact import load_artefact
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

MARGINS = (2.0, 1.5, 1.25, 1.0)
MEANS = 0.0
KINDS = {"8 bits, reversible": (8, True), "12 bits, reversible": (12, True), "8 bits, irreversible": (8, False)}


def main(archive: Path, kinds: list[str]) -> None:
    """Measure and print."""
    (name,) = SHIPPED
    artefact = load_artefact(shipped_directory(name), SHIPPED[name])
    classifier = load_classifier(artefact, "numpy")
    size = classifier.preprocess.working_size or 0

    def read(*pictures: Pixels) -> npt.NDArray[np.float64]:
        logits = classifier.read(classifier.preprocess.apply_many(pictures)).logits
        return probabilities(logits, artefact.decision.temperature)

    print(
        "| kept in | margin | films at a level | the same label | median | 95th percentile | largest |\n|" + "---|" * 7
    )
    films = large_films(archive, 2 * size - 1)
    for kind in kinds:
        found: dict[float, list[tuple[float, bool]]] = {margin: [] for margin in (*MARGINS, MEANS)}
        for seed, film in enumerate(films):
            data = _kept(film, *KINDS[kind], seed)
            whole = decode(data).pixels
            parts = {margin: decode(data, Enough(wavelets=round(margin * size))).pixels for margin in MARGINS}
            parts[MEANS] = cv2.resize(whole, parts[MARGINS[0]].shape[::-1], interpolation=cv2.INTER_AREA)
            of_all, *of_parts = read(whole, *parts.values())
            for margin, of_part in zip(parts, of_parts, strict=True):
                if parts[margin].shape != whole.shape:
                    apart = float(np.abs(of_part - of_all).max())
                    found[margin].append((apart, bool(of_part.argmax() == of_all.argmax())))
        for margin, films_found in found.items():
            all_apart, same = [apart for apart, _ in films_found], sum(same for _, same in films_found)
            figures = (np.median(all_apart), np.percentile(all_apart, 95), max(all_apart))
            said = " | ".join(f"{figure:.4f}" for figure in figures)
            print(f"| {kind} | {margin:g} | {len(all_apart)} | {same} | {said} |", flush=True)


def _kept(film: npt.NDArray[np.uint8], bits: int, reversible: bool, seed: int) -> bytes:
    deep: npt.NDArray[np.unsignedinteger] = film
    if bits > 8:
        random = np.random.default_rng(seed)
        deep = np.clip(film.astype(np.float64) * 16 + random.normal(8, 5, film.shape), 0, 4095).astype(np.uint16)
    stream = bytes(imagecodecs.htj2k_encode(deep, 0 if reversible else 1e-3, reversible=reversible))
    return dicom(deep, HTJ2K, PixelData=encapsulate([stream + b"\0" * (len(stream) % 2)]))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]) if given else REAL_ARCHIVE, given[1:] or list(KINDS))
