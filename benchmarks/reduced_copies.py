"""Whether a model reads an archive's originals as it reads their reduced copies that it was trained on.

    python -m benchmarks.reduced_copies ../shared/data/archive ../shared/data/cxr --model chest-cnn

An original and a copy are one film where their thumbnails of 48x48 correlate above 0.998.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from schemas.errors import Rejected
from trainer.dataset import load_dataset
from wetread.imaging.decode import decode
from wetread.imaging.files import read_file
from wetread.imaging.opencv import cv2
from wetread.models.artefact import load_artefact
from wetread.models.classifier import load_classifier
from wetread.models.decision import probabilities
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
    pairs = list(_pairs(os.fsencode(given.archive), os.fsencode(given.data)))
    if not pairs:
        raise SystemExit("expected originals and reduced copies of the same films, found none")
    artefact = load_artefact(shipped_directory(given.model), SHIPPED[given.model])
    classifier = load_classifier(artefact, "numpy")
    shares = [
        probabilities(classifier.read(classifier.preprocess.apply_many(side)).logits, artefact.decision.temperature)
        for side in zip(*pairs, strict=True)
    ]
    apart = np.abs(shares[0] - shares[1]).max(axis=1)
    same = (shares[0].argmax(axis=1) == shares[1].argmax(axis=1)).sum()
    longest = max(max(original.shape) for original, _ in pairs)
    print(f"{len(pairs)} films, originals up to {longest} pixels; the same label: {same}")
    print(
        f"largest difference of a probability: median {np.median(apart):.4f}, 95th percentile "
        f"{np.percentile(apart, 95):.4f}, largest {apart.max():.4f}"
    )


def _pairs(archive: bytes, data: bytes) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield each original with the copy that is most like it, where that is the same film."""
    dataset = load_dataset(data)
    copies = np.stack([_thumbnail(decode(read_file(data, film.path).data).pixels) for film in dataset.films])
    for folder, _, names in sorted(os.walk(archive)):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), archive)
            try:
                original = decode(read_file(archive, path).data).pixels
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
