"""The preprocessing record: its values, its JSON, and what it does to films."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ArtefactError, Rejected
from schemas.reasons import Reason
from tests.unit.imaging.pictures import film, ramp
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.resize import reduce, resize
from wetread.imaging.step import STAGES
from worker.stages import IN_TURN

records = st.builds(
    Preprocess,
    height=st.integers(1, 160),
    width=st.integers(1, 160),
    working_size=st.none() | st.integers(16, 600),
    clip_limit=st.floats(0, 40),
    tile_grid=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    brightness=st.integers(-255, 255),
    mean=st.floats(-2, 2),
    std=st.floats(0.01, 10),
    reduced_decoding=st.booleans(),
    own_range=st.booleans(),
)


@given(records)
def test_a_record_survives_json_exactly(record: Preprocess) -> None:
    assert Preprocess.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_equal_records_give_equal_json() -> None:
    whole, fraction = Preprocess(clip_limit=2, mean=0, std=1), Preprocess(clip_limit=2.0, mean=0.0, std=1.0)
    assert json.dumps(whole.to_json()) == json.dumps(fraction.to_json())


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Preprocess().height = 64  # type: ignore[misc]  # that it is wrong is what is tested


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"width": 5000},
        {"height": 128.0},
        {"height": "128"},
        {"height": True},
        {"working_size": 0},
        {"working_size": 400.0},
        {"clip_limit": -1},
        {"clip_limit": float("nan")},
        {"clip_limit": None},
        {"tile_grid": [8]},
        {"tile_grid": [0, 8]},
        {"tile_grid": [8, 1000]},
        {"tile_grid": [8.0, 8]},
        {"tile_grid": "88"},
        {"tile_grid": 8},
        {"brightness": 300},
        {"brightness": 1.5},
        {"std": 0},
        {"std": float("inf")},
        {"mean": "0"},
        {"reduced_decoding": 1},
        {"own_range": "true"},
        {"gamma": 1.0},
    ],
    ids=str,
)
def test_a_malformed_record_is_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError, match=next(iter(change))):
        Preprocess.from_json(Preprocess().to_json() | change)


@pytest.mark.parametrize(
    "key", sorted(Preprocess(reduced_decoding=False, own_range=False, reduced_wavelets=False).to_json())
)
def test_a_missing_key_is_refused(key: str) -> None:
    body = Preprocess().to_json()
    del body[key]
    with pytest.raises(ArtefactError, match=key):
        Preprocess.from_json(body)


@pytest.mark.parametrize("body", [None, [], "{}", 7])
def test_what_is_no_record_is_refused(body: Any) -> None:
    with pytest.raises(ArtefactError):
        Preprocess.from_json(body)


@settings(deadline=None, max_examples=80)
@given(record=records, height=st.integers(64, 300), width=st.integers(64, 300), dtype=st.sampled_from("BHf"))
def test_any_film_becomes_an_input_of_the_records_size(record: Preprocess, height: int, width: int, dtype: str) -> None:
    inputs = record.apply(film(height, width).astype(dtype))
    assert inputs.shape == (record.height, record.width, 1)
    assert inputs.dtype == np.float32
    lowest, highest = (np.float32((level - record.mean) / record.std) for level in (0, 1))
    slack = 1e-4 * (1 + abs(record.mean)) / record.std
    assert inputs.min() >= lowest - slack
    assert inputs.max() <= highest + slack


def test_sixteen_bits_and_eight_give_the_same_input() -> None:
    levels = film(300, 340)
    for record in (Preprocess(), Preprocess(working_size=None, clip_limit=4.0)):
        inputs = record.apply(levels)
        for other in (levels.astype(np.uint16) * 257, levels.astype(np.uint16) * 16, levels / np.float32(255)):
            gap = np.abs(record.apply(other.astype(other.dtype)) - inputs)
            assert gap.mean() < 0.5 / 255
            assert gap.max() < 6 / 255


def test_many_films_are_their_inputs_one_by_one() -> None:
    record = Preprocess(height=40, width=50)
    films = [film(100 + 10 * k, 150, seed=k) for k in range(4)]
    np.testing.assert_array_equal(record.apply_many(films), np.stack([record.apply(pixels) for pixels in films]))
    assert record.apply_many(iter([])).shape == (0, 40, 50, 1)


def test_the_steps_are_what_apply_does() -> None:
    record, pixels = Preprocess(mean=0.4, std=0.25), film(500, 420)
    steps = record.steps(pixels)
    assert steps.original.shape == steps.equalised.shape == steps.brightened.shape == (400, 336)
    assert steps.original.dtype == steps.brightened.dtype == np.uint8
    levels = resize(steps.brightened, record.height, record.width)
    np.testing.assert_array_equal(record.levels(pixels), levels)
    np.testing.assert_allclose(record.apply(pixels)[:, :, 0], (levels / 255 - 0.4) / 0.25, atol=1e-5)


def test_every_named_step_has_a_stage_of_the_profile_in_its_order() -> None:
    stages = [step.stage for step in Preprocess().named_steps()]
    assert list(dict.fromkeys(stages)) == list(STAGES)
    assert stages == sorted(stages, key=list(STAGES).index)
    assert [stage for stage in IN_TURN if stage in STAGES] == list(STAGES)


def test_the_named_steps_taken_one_by_one_are_what_apply_does() -> None:
    record, pixels = Preprocess(mean=0.4, std=0.25), film(500, 420)
    picture: np.ndarray[Any, Any] = pixels
    for step in record.named_steps():
        picture = step.take(picture)
    np.testing.assert_array_equal(picture, record.apply(pixels))
    assert [step.title for step in record.enhancements()] == ["Original", "CLAHE", "Brightness"]


def test_each_setting_changes_the_input() -> None:
    pixels = film(500, 420)
    plain = Preprocess().apply(pixels)
    changes: list[dict[str, Any]] = [
        {"working_size": 200}, {"working_size": None}, {"clip_limit": 5.0}, {"tile_grid": (4, 8)},
        {"tile_grid": (8, 4)}, {"brightness": 0}, {"mean": 0.5}, {"std": 0.5},
    ]  # fmt: skip
    for change in changes:
        assert np.abs(replace(Preprocess(), **change).apply(pixels) - plain).max() > 0.01, change


def test_a_flat_film_is_rejected() -> None:
    with pytest.raises(Rejected) as caught:
        Preprocess().apply(np.full((100, 100), 9, np.uint8))
    assert caught.value.reason is Reason.FLAT


def test_the_film_given_is_not_altered() -> None:
    pixels = film(300, 300)
    before = pixels.copy()
    Preprocess(brightness=60).apply(pixels)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize(
    ("height", "width", "wanted"), [(800, 600, (400, 300)), (600, 800, (300, 400)), (801, 100, (400, 50))]
)
def test_the_working_size_is_the_longer_side(height: int, width: int, wanted: tuple[int, int]) -> None:
    assert reduce(ramp(height, width), 400).shape == wanted


def test_a_smaller_film_is_not_enlarged_to_the_working_size() -> None:
    pixels = ramp(300, 200)
    assert reduce(pixels, 300) is pixels
    assert reduce(pixels, None) is pixels


def test_reducing_takes_the_mean_of_the_area() -> None:
    pixels = film(160, 240).astype(np.float32)
    wanted = pixels.reshape(40, 4, 60, 4).mean((1, 3))
    np.testing.assert_allclose(reduce(pixels, 60), wanted, rtol=1e-5)
    np.testing.assert_allclose(resize(pixels, 40, 60), wanted, rtol=1e-5)


def test_a_larger_size_is_interpolated() -> None:
    pixels = ramp(64, 64)
    larger = resize(pixels, 128, 128)
    assert larger.shape == (128, 128)
    assert np.abs(np.diff(larger.astype(int), axis=0)).max() <= 3
