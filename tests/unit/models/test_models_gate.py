"""The input gate: its score by hand, what it must not depend on, and records that are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ArtefactError, UsageError
from wetread.imaging.opencv import cv2
from wetread.models.gate import Gate, patterns_of
from wetread.models.strict_json import parse, pretty

GATE = Gate(side=2, floor=0.5, weights=(1.0, 0.0, 0.0, -1.0), bias=0.25, threshold=0.75)


def image(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float32)[np.newaxis, :, :, np.newaxis]


def test_a_score_worked_out_by_hand() -> None:
    given_image = image([[3, 3, 1, 1], [3, 3, 1, 1], [1, 1, -1, -1], [1, 1, -1, -1]])
    # Cells 3, 1, 1, -1: mean 1, deviation sqrt(2); patterns are (cell - 1) / (sqrt(2) + 0.5).
    expected = (2 - (-2)) / (np.sqrt(2) + 0.5) + 0.25
    np.testing.assert_allclose(GATE.score(given_image), [expected])


@pytest.mark.parametrize(("height", "width", "side"), [(128, 128, 12), (17, 31, 5), (12, 10, 12), (64, 48, 16)])
def test_a_cell_is_the_mean_of_its_area_as_opencv_has_it(height: int, width: int, side: int) -> None:
    pixels = np.random.default_rng(0).random((height, width)).astype(np.float32)
    found = patterns_of(pixels[np.newaxis, :, :, np.newaxis], side, 0.1).reshape(side, side)
    if height >= side and width >= side:
        cells = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.float64)
        np.testing.assert_allclose(found, (cells - cells.mean()) / (cells.std() + 0.1), atol=1e-5)
    assert found.sum() == pytest.approx(0, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), brighter=st.floats(-3, 3), count=st.integers(1, 9))
def test_a_score_depends_on_the_pattern_of_its_own_image_alone(seed: int, brighter: float, count: int) -> None:
    images = np.random.default_rng(seed).normal(size=(count, 8, 8, 1)).astype(np.float32)
    together = GATE.score(images)
    assert [GATE.score(images[row : row + 1])[0] for row in range(count)] == together.tolist()
    np.testing.assert_allclose(GATE.score(images + np.float32(brighter)), together, atol=1e-5)


def test_no_images_have_no_scores() -> None:
    assert GATE.score(np.zeros((0, 8, 8, 1), np.float32)).shape == (0,)


@pytest.mark.parametrize("shape", [(8, 8, 1), (2, 8, 8), (2, 8, 8, 3)])
def test_another_shape_is_wrong_usage(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"\(n, h, w, 1\)"):
        GATE.score(np.zeros(shape, np.float32))


def test_a_gate_comes_back_from_json_as_it_was() -> None:
    assert Gate.from_json(parse(pretty(GATE.to_json()), "gate")) == GATE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "features"}, "upgrade"),
        ({"side": 3}, "a weight a cell"),
        ({"side": 2.0}, "'side'"),
        ({"side": True}, "'side'"),
        ({"side": 65, "weights": [0.0] * 65**2}, "from 2 to 64"),
        ({"floor": 0}, "above 0"),
        ({"floor": -1.0}, "above 0"),
        ({"bias": float("nan")}, "finite"),
        ({"bias": "0"}, "'bias'"),
        ({"threshold": None}, "'threshold'"),
        ({"threshold": float("inf")}, "finite"),
        ({"threshold": 10**400}, "finite"),
        ({"weights": [1.0, 0.0, 0.0, "1"]}, "numbers"),
        ({"weights": [1.0, 0.0, 0.0, True]}, "numbers"),
        ({"weights": [1.0, 0.0, 0.0, [1.0]]}, "numbers"),
        ({"weights": {}}, "'weights'"),
        ({"more": 1}, "expected the fields"),
    ],
    ids=lambda case: json.dumps(case)[:40] if isinstance(case, dict) else "",
)
def test_a_malformed_gate_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtefactError, match=message):
        Gate.from_json(GATE.to_json() | change)


def test_a_missing_field_is_refused() -> None:
    body = GATE.to_json()
    del body["bias"]
    with pytest.raises(ArtefactError, match="expected the fields"):
        Gate.from_json(body)


def test_a_gate_with_values_out_of_range_cannot_be_made() -> None:
    with pytest.raises(ArtefactError, match="finite"):
        replace(GATE, weights=(1.0, 0.0, 0.0, float("nan")))
