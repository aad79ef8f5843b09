"""Lungs are found, filled and brought to one level, or the film is set aside."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import ArtefactError, Rejected
from schemas.reasons import Reason
from wetread.imaging.lung_field import DEVIATION, MEAN, LungField, fill, parts
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess

SIDE = 64
SHA = "a" * 64


def two_lungs(*, bite: bool = False, bar: bool = False, stray: bool = False) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(mask, (18, 32), (10, 22), 0, 0, 360, 1, -1)
    cv2.ellipse(mask, (46, 32), (10, 22), 0, 0, 360, 1, -1)
    if bite:
        mask[28:38, 48:60] = 0
    if bar:
        mask[20:23, 18:46] = 1
    if stray:
        mask[60:62, 2:5] = 1
    return mask


def film(seed: int = 0, height: int = 200, width: int = 160) -> np.ndarray:
    return np.random.default_rng(seed).integers(20, 220, (height, width), dtype=np.uint8)


def field_of(mask: np.ndarray) -> LungField:
    return LungField(SIDE, SHA, lambda _levels: mask.astype(np.float32))


def test_a_bite_at_the_edge_is_filled_and_the_lungs_stay_apart() -> None:
    whole, bitten = fill(two_lungs()), fill(two_lungs(bite=True))
    assert two_lungs(bite=True)[33, 50] == 0
    assert bitten[33, 50] == 1
    assert (whole != bitten).mean() < 0.02
    assert not whole[:, 31:33].any(), "what lies between the lungs is outside"


def test_stray_parts_go_and_lungs_that_hang_together_are_cut() -> None:
    assert fill(two_lungs(stray=True))[61, 3] == 0
    joined = two_lungs(bar=True)
    assert cv2.connectedComponents(joined)[0] == 2, "one part, and the background"
    assert len(parts(joined)) == 2
    assert fill(joined)[50, 32] == 0, "the hull of both together would hold the heart"
    assert parts(np.zeros((SIDE, SIDE), np.uint8)) == []


def test_inside_has_one_mean_and_spread_and_outside_is_flat() -> None:
    field = field_of(two_lungs())
    dark, light = (field.picture((film() * share + add).astype(np.uint8)) for share, add in ((0.4, 10), (0.6, 90)))
    inside = cv2.resize(field.inside(film()) * 255, (160, 200), interpolation=cv2.INTER_LINEAR) > 127
    for picture in (dark, light):
        assert (picture[~inside] == MEAN).all()
        assert picture[inside].mean() == pytest.approx(MEAN, abs=1)
        assert picture[inside].std() == pytest.approx(DEVIATION, abs=1)
    assert np.abs(dark.astype(int) - light).max() <= 4, "brightness and contrast of the film are gone, but for rounding"


def test_a_mask_that_comes_with_a_film_goes_the_way_of_one_that_is_found() -> None:
    mask = two_lungs(bite=True)
    preprocess = Preprocess(height=48, width=48, clip_limit=0, brightness=0, lung_field=field_of(mask))
    without = Preprocess(height=48, width=48, clip_limit=0, brightness=0, lung_field=LungField(SIDE, SHA))
    np.testing.assert_array_equal(preprocess.levels(film()), without.levels(film(), mask * 255))
    np.testing.assert_array_equal(preprocess.scaled(preprocess.levels(film()))[..., None], preprocess.apply(film()))


def test_specks_are_no_lungs() -> None:
    specks = np.random.default_rng(0).uniform(size=(SIDE, SIDE)) > 0.6
    with pytest.raises(Rejected, match="are whole"):
        field_of(specks).picture(film())


@pytest.mark.parametrize("lungs", [0, 5, SIDE], ids=["none", "a spot", "everything"])
def test_a_film_without_a_plausible_field_is_set_aside_with_its_reason(lungs: int) -> None:
    mask = np.zeros((SIDE, SIDE))
    mask[:lungs, :lungs] = 1
    with pytest.raises(Rejected, match="lung field") as fault:
        field_of(mask).picture(film())
    assert fault.value.reason == Reason.NO_LUNG_FIELD


def test_the_record_comes_back_and_is_part_of_the_preprocessing() -> None:
    record = Preprocess(clip_limit=0, brightness=0, lung_field=field_of(two_lungs()))
    again = Preprocess.from_json(record.to_json())
    assert again == record
    assert hash(again) == hash(record)
    assert "lung_field" not in Preprocess().to_json(), "models without one keep their digests"
    assert Preprocess.from_json(Preprocess().to_json()) == Preprocess()
    with pytest.raises(ArtefactError, match="segmenter"):
        again.levels(film())
    with pytest.raises(ArtefactError, match="beside a lung field"):
        Preprocess(lung_field=LungField(SIDE, SHA))
    for wrong in ({"side": 0}, {"side": True}, {"network_sha256": "abc"}, {"network_sha256": None}, {"more": 1}):
        with pytest.raises(ArtefactError, match="lung field"):
            LungField.from_json({"side": SIDE, "network_sha256": SHA} | wrong)
