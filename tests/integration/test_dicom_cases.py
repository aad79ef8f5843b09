"""Films that were read wrong once: each scores as its README says. They are made of public films and not kept here."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from wetread.imaging.decode import Grey, decode
from wetread.models.artefact import load_artefact
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier
from wetread.models.shipped import SHIPPED, shipped_directory

pytestmark = pytest.mark.data
CASES = Path(__file__).parents[3] / "shared" / "cases"
EXACT, NEAR = 1e-6, 0.01
LIKE = {
    "02-voi-function-empty": ("01-window", EXACT),
    "03-rescale-empty": ("01-window", EXACT),
    "05-decimal-comma": ("01-window", NEAR),
    "07b-jp2-boxes": ("00-base", EXACT),
    "09b-konica-stated-length-items": ("00-base", EXACT),
    "10-voilut-8bit-in-words": ("10c-voilut-16bit", NEAR),
    "12b-padding-4095-12bit": ("12f-black-border-reference", EXACT),
    "13-mono2-inverse": ("00-base", EXACT),
    "14a-THORAX": ("00-base", EXACT),
    "14h-view-POSTERO_ANTERIOR": ("00-base", EXACT),
    "15-DR": ("00-base", EXACT),
    "16a-vr-spaces": ("00-base", EXACT),
    "17-meta-implicit": ("00-base", EXACT),
    "23e-empty-pixel-representation-window": ("01-window", EXACT),
    "24-window-of-8-bits-on-12": ("00-base", EXACT),
    "022-m1_16": ("022-u12", EXACT),
    "022-s16": ("022-u12", EXACT),
}
NOTES = {
    "02-voi-function-empty": "voi_function_unknown",
    "03-rescale-empty": "rescale_ignored",
    "05-decimal-comma": "decimal_comma",
    "22d-slope-minus1-no-intercept-window": "rescale_ignored",
    "23e-empty-pixel-representation-window": "pixel_representation_missing",
    "24-window-of-8-bits-on-12": "window_of_one_value",
}


@cache
def case(name: str) -> Grey:
    if not CASES.is_dir():
        pytest.skip("the films are not at ../shared/cases")
    return decode((CASES / f"{name}.dcm").read_bytes())


@cache
def score(name: str) -> np.ndarray:
    (shipped,) = SHIPPED
    model = load_artefact(shipped_directory(shipped), SHIPPED[shipped])
    image = model.card.preprocess.apply_many([case(name).pixels])
    return probabilities(load_classifier(model, "numpy").read(image).logits, model.decision.temperature)[0]


@pytest.mark.parametrize("name", sorted(LIKE))
def test_a_film_that_was_read_wrong_scores_as_it_should(name: str) -> None:
    other, tolerance = LIKE[name]
    assert np.abs(score(name) - score(other)).max() <= tolerance


def test_a_slope_without_an_intercept_is_not_applied() -> None:
    """The film is stored inverted, and stays so: with a window as without."""
    light, dark = case("01-window").pixels.astype(int), case("22d-slope-minus1-no-intercept-window").pixels.astype(int)
    assert np.corrcoef(light.ravel(), dark.ravel())[0, 1] < -0.99


def test_what_was_left_out_is_noted_and_nothing_else() -> None:
    names = sorted(path.stem for path in CASES.glob("*.dcm")) if CASES.is_dir() else ["00-base"]
    assert {name: ",".join(case(name).notes) for name in names if case(name).notes} == NOTES
