"""The picture of the steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from schemas.errors import Rejected
from tests.unit.imaging.pictures import film
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.steps_picture import PANEL_HEIGHT, PANEL_WIDTH, draw_steps


def drawn(pixels: np.ndarray, record: Preprocess) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(draw_steps(pixels, record), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("shape", [(900, 700), (300, 400), (90, 256), (256, 90)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_three_panels_lie_side_by_side(shape: tuple[int, int], dtype: type) -> None:
    page = drawn(film(*shape).astype(dtype), Preprocess())
    gaps = np.flatnonzero((page == 255).all(axis=0))
    panels = [following - gap - 1 for gap, following in pairwise(gaps) if following > gap + 1]
    assert len(panels) == 3
    assert len(set(panels)) == 1
    high = page.shape[0] - 96
    assert high <= PANEL_HEIGHT and panels[0] <= PANEL_WIDTH
    assert high == PANEL_HEIGHT or panels[0] == PANEL_WIDTH
    assert panels[0] / high == pytest.approx(shape[1] / shape[0], rel=0.01)


def test_the_panels_are_the_record_s_steps() -> None:
    pixels, record = film(640, 500), Preprocess(working_size=None, brightness=60)
    page = drawn(pixels, record)
    for number, levels in enumerate(record.steps(pixels)):
        left = 16 + number * (500 + 16)
        np.testing.assert_array_equal(page[16 : 16 + PANEL_HEIGHT, left : left + 500], levels)


def test_captions_stay_within_their_panel() -> None:
    page = drawn(film(200, 80), Preprocess(clip_limit=12.345))
    below = page[16 + PANEL_HEIGHT :]
    columns = np.flatnonzero((below < 200).any(axis=0))
    panel = round(PANEL_HEIGHT * 80 / 200)
    for number in range(3):
        left = 16 + number * (panel + 16)
        inked = columns[(columns >= left) & (columns < left + panel + 16)]
        assert left <= inked.min() and inked.max() < left + panel


def test_a_flat_film_has_no_steps() -> None:
    with pytest.raises(Rejected):
        draw_steps(np.zeros((100, 100), np.uint8), Preprocess())


def test_the_same_film_gives_the_same_picture() -> None:
    assert draw_steps(film(), Preprocess()) == draw_steps(film(), Preprocess())
