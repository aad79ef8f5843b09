"""Frontal chest films are known by the words of the field, and what is clearly something else is set aside."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import Rejected
from schemas.films import Accepted
from schemas.reasons import Reason
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode

FILM = film()


@pytest.mark.parametrize(
    "body_part",
    ["CHEST", "PORT CHEST", "CHEST_PA", "Chest", "TORAX", "THORAX", "XR CHEST 1 VIEW", "LUNG", "CXR", "T\xf3rax",
     "UNKNOWN", "", "CHEST/ABDOMEN", "CHEST RIBS", "CHEST PA AND LATERAL", "Doe^Jane"],
)  # fmt: skip
def test_words_for_the_chest_and_words_that_say_nothing_are_read(body_part: str) -> None:
    filler = "X" * len(body_part)  # a code string; what stands there in the end is none, as in the field
    data = dicom(FILM, BodyPartExamined=filler).replace(filler.encode(), body_part.encode("latin-1"), 1)
    np.testing.assert_array_equal(decode(data).pixels, FILM)


@pytest.mark.parametrize(
    "view", ["PA", "AP", "POSTERO_ANTERIOR", "AP_ERECT", "PA/LAT", "ANTERO-POSTERIOR", "FRONTAL", "UNKNOWN"]
)
def test_words_for_a_frontal_view_are_read(view: str) -> None:
    np.testing.assert_array_equal(decode(dicom(FILM, ViewPosition=view)).pixels, FILM)


@pytest.mark.parametrize("modality", ["CR", "DX", "DR", "RG", "RF", "OT", "XRAY", ""])
def test_words_for_a_radiograph_are_read(modality: str) -> None:
    np.testing.assert_array_equal(decode(dicom(FILM, Modality=modality)).pixels, FILM)


@pytest.mark.parametrize(
    ("keyword", "said", "reason", "word"),
    [
        ("BodyPartExamined", "HAND", Reason.OTHER_BODY_PART, "HAND"),
        ("BodyPartExamined", "L KNEE 3 VIEWS", Reason.OTHER_BODY_PART, "KNEE"),
        ("BodyPartExamined", "C-SPINE", Reason.OTHER_BODY_PART, "SPINE"),
        ("BodyPartExamined", "ABDOMEN", Reason.OTHER_BODY_PART, "ABDOMEN"),
        ("BodyPartExamined", "RIBS", Reason.OTHER_BODY_PART, "RIBS"),
        ("BodyPartExamined", "rodilla izq", Reason.OTHER_BODY_PART, "RODILLA"),
        ("ViewPosition", "LATERAL", Reason.OTHER_VIEW, "LATERAL"),
        ("ViewPosition", "L_LAT", Reason.OTHER_VIEW, "LAT"),
        ("ViewPosition", "LL", Reason.OTHER_VIEW, "LL"),
        ("ViewPosition", "RAO", Reason.OTHER_VIEW, "RAO"),
        ("ViewPosition", "LEFT LATERAL DECUBITUS", Reason.OTHER_VIEW, "LATERAL"),
        ("Modality", "CT", Reason.OTHER_MODALITY, "CT"),
        ("Modality", "mg", Reason.OTHER_MODALITY, "MG"),
    ],
)
def test_what_is_clearly_something_else_is_set_aside_by_its_word(
    keyword: str, said: str, reason: Reason, word: str
) -> None:
    data = dicom(FILM, **{keyword: said})
    with pytest.raises(Rejected) as caught:
        decode(data)
    assert (caught.value.reason, caught.value.word) == (reason, word)
    field = {"BodyPartExamined": "body_parts", "ViewPosition": "views", "Modality": "modalities"}[keyword]
    for accepted in (word, word.lower(), said):
        assert decode(data, accepted=Accepted(**{field: (accepted,)})).pixels.shape == FILM.shape
    with pytest.raises(Rejected):
        decode(data, accepted=Accepted(**{field: ("FOOT",)}))


def test_a_lateral_that_says_so_in_its_body_part_is_set_aside() -> None:
    with pytest.raises(Rejected) as caught:
        decode(dicom(FILM, BodyPartExamined="CHEST LATERAL", ViewPosition=None))
    assert (caught.value.reason, caught.value.word) == (Reason.OTHER_VIEW, "LATERAL")
    assert decode(dicom(FILM, BodyPartExamined="CHEST LATERAL", ViewPosition="PA")).pixels.shape == FILM.shape


def test_rules_change_with_the_words_and_only_for_words() -> None:
    plain, some = Accepted(), Accepted(body_parts=("HAND",))
    assert plain.rules(Reason.OTHER_VIEW) == plain.rules(Reason.TRUNCATED) == some.rules(Reason.TRUNCATED)
    assert some.rules(Reason.OTHER_BODY_PART) != plain.rules(Reason.OTHER_BODY_PART)
    assert Accepted.from_json(some.to_json()) == some
    assert Accepted.from_json(None) == plain == Accepted.from_json(plain.to_json())
    assert some | Accepted(("CT",), ("HAND", "FOOT")) == Accepted(("CT",), ("FOOT", "HAND"))
