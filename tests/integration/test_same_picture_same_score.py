"""The same picture has the same score, however it is stored: real films, within the bound that is documented."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.archives import REAL_ARCHIVE
from schemas.errors import Rejected
from tests.unit.imaging.dicoms import dicom
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2
from wetread.models.artefact import load_artefact
from wetread.models.classifier import Classifier
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

pytestmark = pytest.mark.data
BOUND = 0.01
EACH = 7
"""Films of the archive, and of the training data."""


def films() -> Iterator[np.ndarray]:
    """Yield the 8 bits of the sample, those of few levels aside, which have copies of their own."""
    for folder in (REAL_ARCHIVE, REAL_ARCHIVE.parent / "cxr"):
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
        found = 0
        for path in paths[3 :: max(1, len(paths) // (3 * EACH))]:
            try:
                pixels = decode(Path(path).read_bytes()).pixels
            except Rejected:
                continue
            if pixels.dtype == np.uint8 and len(np.unique(pixels)) > 64 and found < EACH:
                found += 1
                yield pixels.astype(np.uint8)


def copies(levels: np.ndarray, bits: int) -> dict[str, bytes]:
    """The film of `bits` bits, and what holds the same picture."""
    deep, top = levels.astype(np.uint16), 2**bits - 1
    found = {
        "as it is": dicom(deep, bits=16),
        "an offset": dicom((deep + 1000).astype(np.uint16), bits=16),
        "signed": dicom((deep.astype(np.int32) - 2 ** (bits - 1)).astype(np.int16), bits=16),
        "inverted, spare bits": dicom((top - deep).astype(np.uint16), bits=16, PhotometricInterpretation="MONOCHROME1"),
        "in the high bits": dicom((deep << (16 - bits)).astype(np.uint16), bits=16),
        "over all of 16 bits": dicom(np.rint(deep * (65535 / top)).astype(np.uint16), bits=16),
    }
    return found | ({"8 bits": dicom(levels.astype(np.uint8))} if bits == 8 else {})


@cache
def classifier() -> tuple[Classifier, float]:
    (shipped,) = SHIPPED
    model = load_artefact(shipped_directory(shipped), SHIPPED[shipped])
    return load_classifier(model, "numpy"), model.decision.temperature


def scores(stored: dict[str, bytes]) -> np.ndarray:
    model, temperature = classifier()
    pictures = [decode(data, model.preprocess.enough).pixels for data in stored.values()]
    return probabilities(model.read(model.preprocess.apply_many(pictures)).logits, temperature)


@pytest.mark.parametrize("bits", [8, 12])
def test_copies_of_a_real_film_score_alike(bits: int) -> None:
    if not REAL_ARCHIVE.is_dir():
        pytest.skip("the X-rays are not at ../shared/data")
    tried = 0
    for film in films():
        if bits == 8:
            levels = film
        else:  # 12 bits that are all its own: means of four pixels of 8 bits
            size = (film.shape[1] // 2, film.shape[0] // 2)
            levels = cv2.resize(film.astype(np.uint16) * 16, size, interpolation=cv2.INTER_AREA)
        stored = copies(levels, bits)
        found = scores(stored)
        apart = dict(zip(stored, np.abs(found - found[0]).max(axis=1), strict=True))
        assert max(apart.values()) <= BOUND, apart
        tried += 1
    assert tried == 2 * EACH
