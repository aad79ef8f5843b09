"""Whether a model reads an archive's originals as it reads the reduced copies that it was trained on.

    python -m benchmarks.reduced_copies ../shared/data/archive ../shared/data/cxr --model chest-cnn

An original and a copy are one film where their thumbnails of 48x48 correlate above 0.998. Then whether decoding large
JPEGs at a fraction of their size changes what it says of the originals: both ways for each film of the archive.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from schemas.errors import Rejected
from trainer.data.dataset import load_dataset
from wetread.imaging.decode import ALL, decode
from wetread.imaging.files import read_file
from wetread.imaging.header import Enough
from wetread.imaging.opencv import cv2
from wetread.models.artefact import Artefact, load_artefact
from wetread.models.classifier import Classifier
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

Pixels = npt.NDArray[np.generic]
SIDE = 48
LEAST_CORRELATION = 0.998


def main() -> None:
    """Print how far apart the probabilities of originals and copies are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("data")
    parser.add_argument("--model", default="chest-cnn", choices=sorted(SHIPPED))
    given = parser.parse_args()
    archive = os.fsencode(given.archive)
    artefact = load_artefact(shipped_directory(given.model), SHIPPED[given.model])
    classifier = load_classifier(artefact, "numpy")
    pairs = list(_pairs(archive, os.fsencode(given.data), classifier.preprocess.enough))
    if not pairs:
        raise SystemExit("expected originals and reduced copies of the same films, found none")
    _compare("originals and copies", [_shares(classifier, artefact, side) for side in zip(*pairs, strict=True)])
    enough = replace(classifier.preprocess, reduced_decoding=True).enough
    both = [(whole, part) for whole, part in zip(_films(archive), _films(archive, enough), strict=True)]
    fewer = [pair for pair in both if pair[0].shape != pair[1].shape]
    sides = zip(*fewer, strict=True)
    _compare("JPEGs decoded whole and at a fraction", [_shares(classifier, artefact, side) for side in sides])
    print(f"  of {len(both)} films of the archive that can be decoded")


def _shares(classifier: Classifier, artefact: Artefact, films: Iterable[Pixels]) -> npt.NDArray[np.float64]:
    """Return the probabilities of the model's labels, (films, labels)."""
    logits = classifier.read(classifier.preprocess.apply_many(films)).logits
    return probabilities(logits, artefact.decision.temperature)


def _compare(what: str, sides: list[npt.NDArray[np.float64]]) -> None:
    """Print how far apart two readings of the same films are."""
    apart = np.abs(sides[0] - sides[1]).max(axis=1)
    same = (sides[0].argmax(axis=1) == sides[1].argmax(axis=1)).sum()
    print(f"{what}: {len(apart)} films, the same label: {same}")
    print(
        f"  largest difference of a probability: median {np.median(apart):.4f}, 95th percentile "
        f"{np.percentile(apart, 95):.4f}, largest {apart.max():.4f}"
    )


def _films(archive: bytes, enough: Enough = ALL) -> Iterator[Pixels]:
    """Yield the archive's films, those of which fewer pixels are enough at a fraction of their size."""
    for folder, _, names in sorted(os.walk(archive)):
        for name in sorted(names):
            with suppress(Rejected):
                yield decode(read_file(folder, name).data, enough).pixels


def _pairs(archive: bytes, data: bytes, enough: Enough) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield each original with the copy that is most like it, where that is the same film."""
    dataset = load_dataset(data)
    copies = np.stack([_thumbnail(decode(read_file(data, film.path).data).pixels) for film in dataset.films])
    for folder, _, names in sorted(os.walk(archive)):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), archive)
            try:
                original = decode(read_file(archive, path).data, enough).pixels
            except Rejected:
                continue
            likeness = copies @ _thumbnail(original)
            if likeness.max() > LEAST_CORRELATION:
                film = dataset.films[int(likeness.argmax())]
                yield original, decode(read_file(data, film.path).data).pixels


def _thumbnail(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Return the film at 48x48, of mean 0 and length 1."""
    small = cv2.resize(pixels.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    small -= small.mean()
    return np.asarray((small / (np.linalg.norm(small) + 1e-9)).ravel())


if __name__ == "__main__":
    main()
