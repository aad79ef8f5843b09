"""The shipped model reads a film alike whatever the depth and polarity of its DICOM copy, and as its PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import encoded
from trainer.phantoms.archive import phantom
from wetread.imaging.decode import decode
from wetread.models.artefact import load_artefact
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "archive"
DEPTHS = (8, 10, 12, 16)


def scores(copies: list[bytes]) -> np.ndarray:
    """Probabilities by the shipped model, (n, labels)."""
    (name,) = SHIPPED
    model = load_artefact(shipped_directory(name), SHIPPED[name])
    images = model.card.preprocess.apply_many(decode(copy).pixels for copy in copies)
    return probabilities(load_classifier(model, "numpy").read(images).logits, model.decision.temperature)


def of_depth(film: np.ndarray, bits: int) -> np.ndarray:
    """The 8-bit film spread over 2^bits levels: all of it is in every copy, and the steps are not even in all."""
    return np.rint(film * ((2**bits - 1) / 255)).astype(np.uint8 if bits == 8 else np.uint16)


def check_copies(films: list[np.ndarray], bits: int) -> np.ndarray:
    """Check that each film, as DICOM, scores as its PNG and as its inverted twin; return the scores."""
    copies = [of_depth(film, bits) for film in films]
    light = scores([dicom(copy, bits=bits) for copy in copies])
    dark = scores([dicom(2**bits - 1 - copy, bits=bits, PhotometricInterpretation="MONOCHROME1") for copy in copies])
    png = scores([encoded(".png", copy) for copy in copies])
    assert np.abs(light - dark).max() < 1e-6
    assert np.abs(light - png).max() < 1e-6
    return light


@pytest.mark.parametrize("side", [400, 1100], ids=["as small as the working size", "larger"])
def test_copies_of_every_depth_score_alike(side: int) -> None:
    films = [phantom(label, 900 + seed, side) for seed, label in enumerate(("covid", "normal", "pneumonia", "normal"))]
    eight, *deeper = (check_copies(films, bits) for bits in DEPTHS)
    assert np.ptp(eight, axis=0).max() > 0.05, "the films are told apart, so agreement says something"
    for bits, other in zip(DEPTHS[1:], deeper, strict=True):
        assert np.abs(eight - other).max() < 0.01, bits


@pytest.mark.data
def test_real_films_score_as_their_png_and_their_inverted_twin() -> None:
    if not ARCHIVE.is_dir():
        pytest.skip("the real X-rays are not at ../shared/data/archive")
    files = sorted(path for path in ARCHIVE.rglob("*") if path.is_file())
    films = [decode(path.read_bytes()).pixels for path in files[:: max(1, len(files) // 6)][:6]]
    for bits in (8, 12):
        check_copies(films, bits)
