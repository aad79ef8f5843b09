"""What decoding a JPEG 2000 at a resolution level changes of what a model says, by how many pixels are to be left.

    python -m benchmarks.wavelet_levels [ARCHIVE]

Each large film of an archive is kept in 8 bits and, with noise in four more, in 12, by the reversible wavelet and by
the other one. Probabilities of all pixels are compared with those of the least level that leaves the margin times the
working size. The levels are those of JPEG 2000, whose wavelets HTJ2K has too and codes in a tenth of the time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt

from benchmarks.archives import REAL_ARCHIVE
from benchmarks.depths import large_films
from wetread.models.artefact import load_artefact
from wetread.models.classifier import load_classifier
from wetread.models.decision import probabilities
from wetread.models.shipped import SHIPPED, shipped_directory

MARGINS = (2.0, 1.5, 1.25, 1.0)
KINDS = {"8 bits, reversible": (8, True), "12 bits, reversible": (12, True), "8 bits, irreversible": (8, False)}


def main(archive: Path) -> None:
    """Measure and print."""
    (name,) = SHIPPED
    artefact = load_artefact(shipped_directory(name), SHIPPED[name])
    classifier = load_classifier(artefact, "numpy")
    size = classifier.preprocess.working_size or 0
    films = large_films(archive, 2 * size - 1)
    print(
        "| kept in | margin | films at a level | the same label | median | 95th percentile | largest |\n|" + "---|" * 7
    )
    for kind, (bits, reversible) in KINDS.items():
        copies = [_kept(film, bits, seed) for seed, film in enumerate(films)]
        streams = [imagecodecs.htj2k_encode(copy, 0 if reversible else 1e-4, reversible=reversible) for copy in copies]
        whole = np.stack([_read(stream, 0, classifier, artefact.decision.temperature) for stream in streams])
        for margin in MARGINS:
            levels = [level(max(film.shape), margin * size) for film in films]
            apart, same = [], 0
            for stream, deep, of_all in zip(streams, levels, whole, strict=True):
                if deep:
                    read = _read(stream, deep, classifier, artefact.decision.temperature)
                    apart.append(float(np.abs(read - of_all).max()))
                    same += int(read.argmax() == of_all.argmax())
            figures = (np.median(apart), np.percentile(apart, 95), max(apart))
            said = " | ".join(f"{figure:.4f}" for figure in figures)
            print(f"| {kind} | {margin:g} | {len(apart)} | {same} | {said} |", flush=True)


def level(side: int, enough: float) -> int:
    """Return how often a side may be halved, five times at most, so that it keeps `enough` pixels."""
    return next((deep for deep in range(5, 0, -1) if side >= enough * 2**deep), 0)


def _kept(film: npt.NDArray[np.uint8], bits: int, seed: int) -> npt.NDArray[np.unsignedinteger]:
    if bits == 8:
        return film
    random = np.random.default_rng(seed)
    return np.clip(film.astype(np.float64) * 16 + random.normal(8, 5, film.shape), 0, 4095).astype(np.uint16)


def _read(stream: bytes, deep: int, classifier, temperature: float) -> npt.NDArray[np.float64]:  # type: ignore[no-untyped-def]
    pixels = imagecodecs.htj2k_decode(stream, skipres=deep)
    logits = classifier.read(classifier.preprocess.apply_many([pixels])).logits
    return probabilities(logits, temperature)[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REAL_ARCHIVE)
