"""Maps add up to the logit where they say so, are refused where they cannot, and are drawn as what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli import explain_film
from schemas.errors import UsageError
from tests.tiny_model import tiny_contents
from trainer.training.architectures import cnn, dnn, separable
from wetread.engine.network import Network
from wetread.explain.additive import AdditiveMaps
from wetread.explain.film_map import FilmMap, beside_png, drawn_map, film_map, overlay_png
from wetread.explain.methods import METHODS
from wetread.imaging.opencv import cv2
from wetread.models.artefact import Artefact, load_artefact, save_artefact
from wetread.models.loading import load_classifier


@pytest.fixture
def tiny(tmp_path: Path) -> Artefact:
    save_artefact(str(tmp_path / "tiny"), tiny_contents(), version=1)
    return load_artefact(str(tmp_path / "tiny"))


FILM = np.random.default_rng(2).integers(0, 4096, (300, 240)).astype(np.uint16)


@pytest.mark.parametrize("architecture", [cnn(3, size=32, width=8), separable(3, size=32, width=8)])
def test_the_additive_map_and_the_bias_are_the_logit(architecture: object) -> None:
    network = Network(architecture, seed=4)  # type: ignore[arg-type]  # as the list above has it
    weights = network.weights()
    weights["logits/bias"] = np.array([0.5, -1.0, 2.0], np.float32)
    maps, biases, logits = AdditiveMaps(network.architecture, weights).maps(
        np.random.default_rng(1).random((32, 32, 1), np.float32)
    )
    assert maps.shape[2] == 3 and maps.shape[0] > 1
    assert np.allclose(maps.sum((0, 1)) + biases, logits, atol=1e-5)
    assert np.ptp(maps[:, :, 0]) > 0


def test_a_network_of_another_end_has_no_additive_map() -> None:
    network = Network(dnn(3, size=32, width=8))
    with pytest.raises(UsageError, match="occlusion"):
        AdditiveMaps(network.architecture, network.weights())


def test_the_map_is_of_the_reading_that_screening_gives(tiny: Artefact) -> None:
    found = film_map(tiny, FILM)
    logits = load_classifier(tiny, "numpy").read(tiny.card.preprocess.apply(FILM)[None]).logits[0]
    assert found.label == tiny.card.labels[int(logits.argmax())]
    assert found.logit == pytest.approx(float(logits.max()), abs=1e-3)
    assert found.bias is not None and found.values.sum() + found.bias == pytest.approx(found.logit, abs=1e-4)
    other = film_map(tiny, FILM, label=tiny.card.labels[int(logits.argmin())])
    assert other.logit == pytest.approx(float(logits.min()), abs=1e-3)
    for wrong in ({"label": "flu"}, {"method": "guess"}):
        with pytest.raises(UsageError):
            film_map(tiny, FILM, **wrong)


def test_occlusion_finds_the_square_that_matters(tiny: Artefact) -> None:
    """Of a network that reads nothing, nothing matters; of one that does, the square that was put in does."""
    film = np.full((320, 320), 900, np.uint16)
    film[40:90, 200:260] = 3000
    film[0, :8] = np.arange(8)
    found = film_map(tiny, film, "occlusion")
    assert found.values.shape == (16, 16) and found.bias is None
    row, column = np.unravel_index(np.abs(found.values).argmax(), found.values.shape)
    assert row <= 7 and column >= 7
    silent = {name: np.zeros_like(array) for name, array in tiny.weights.items()}
    assert np.all(film_map(replace(tiny, weights=silent), film, "occlusion").values == 0)


def test_integrated_gradients_and_the_flat_film_are_the_logit(tiny: Artefact) -> None:
    found = film_map(tiny, FILM, "integrated")
    assert found.values.shape == (16, 16) and np.ptp(found.values) > 0
    assert found.bias is not None and found.values.sum() + found.bias == pytest.approx(found.logit, abs=0.02)
    image = tiny.card.preprocess.apply(FILM)
    flat = np.full_like(image, image.mean())
    logits = load_classifier(tiny, "numpy").read(flat[None]).logits[0]
    assert found.bias == pytest.approx(float(logits[tiny.card.labels.index(found.label)]), abs=1e-3)


def test_a_map_is_drawn_in_two_colours_and_is_clear_where_nothing_speaks() -> None:
    values = np.zeros((8, 8))
    values[1, 1], values[6, 6] = 2.0, -1.0
    found = FilmMap("additive", "covid", 1.0, 0.0, values)
    drawn = drawn_map(found, 200, 100)
    assert drawn.shape == (512, 256, 4)
    mark, other, clear = drawn[96, 48], drawn[416, 208], drawn[256, 128]
    assert mark[0] > mark[2] and other[2] > other[0]
    assert mark[3] > other[3] > 50 and clear[3] < 5
    overlay = cv2.imdecode(np.frombuffer(overlay_png(found, 200, 100), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(cv2.cvtColor(overlay, cv2.COLOR_BGRA2RGBA), drawn)
    beside = cv2.imdecode(
        np.frombuffer(beside_png(found, np.full((200, 100), 90, np.uint8)), np.uint8), cv2.IMREAD_COLOR
    )
    assert beside.shape == (512, 512, 3) and np.all(beside[:, :256] == 90)


def test_the_command_knows_the_methods() -> None:
    assert explain_film.METHODS == METHODS
