"""Sets aside files whose header says that they are not frontal chest films, before they are decoded."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from schemas.errors import Rejected
from schemas.films import Accepted
from schemas.reasons import Reason
from wetread.imaging.dicom.values import texts
from wetread.imaging.dicom.words import other_modality, other_part, other_view, spelled

if TYPE_CHECKING:
    from pydicom import Dataset

_RADIOGRAPHS = "1.2.840.10008.5.1.4.1.1.1"
"""Computed radiography, and with a number added its digital forms (mammography and intra-oral have their modality)."""
_SECONDARY_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"


def check_subject(record: Dataset, accepted: Accepted) -> None:
    """Raise Rejected OTHER_MODALITY, OTHER_BODY_PART or OTHER_VIEW where the header names another subject.

    accepted: words that a site wants read all the same. A word that is known neither way settles nothing.
    """
    modality = _said(record, "Modality")
    if word := _refused(modality, other_modality, accepted.modalities):
        raise Rejected(Reason.OTHER_MODALITY, f"expected a radiograph, such as CR or DX, found {word}", word=word)
    sop_class = "".join(texts(record, "SOPClassUID")[:1])
    if not modality and sop_class and not _may_be_film(sop_class):
        raise Rejected(Reason.OTHER_MODALITY, f"expected CR, DX or a secondary capture, found {_class_name(sop_class)}")
    body_part, view = _said(record, "BodyPartExamined"), _said(record, "ViewPosition")
    if word := _refused(body_part, other_part, accepted.body_parts):
        raise Rejected(Reason.OTHER_BODY_PART, f"expected the chest, or no part stated, found {word}", word=word)
    # The view may stand beside the part: CHEST LATERAL.
    for said in (view, "" if view else body_part):
        if word := _refused(said, other_view, accepted.views):
            raise Rejected(Reason.OTHER_VIEW, f"expected a frontal view, or none stated, found {word}", word=word)


def _said(record: Dataset, keyword: str) -> str:
    return " ".join(texts(record, keyword))


def _refused(said: str, other: Callable[[str], str | None], accepted: Collection[str]) -> str | None:
    """Return the word by which it is refused, one of our own lists; the text itself may hold a name."""
    word = other(said)
    return None if word is None or {word, spelled(said)} & {spelled(one) for one in accepted} else word


def _may_be_film(sop_class: str) -> bool:
    families = (_RADIOGRAPHS, _SECONDARY_CAPTURES)
    return any(sop_class == family or sop_class.startswith(family + ".") for family in families)


def _class_name(sop_class: str) -> str:
    from pydicom.uid import UID

    name = UID(sop_class).name
    return "an unknown class" if name == sop_class else name
