"""Asks by QIDO-RS. Source: DICOM PS3.18, chapter 10.6; DICOM JSON: annex F."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.calling.web import TooMuch, Web
from gateway.pulling.questions import LIMIT, InstanceNamed, Listed, Question, SeriesNamed, StudyNamed
from gateway.receiving.dimse import is_uid

_STUDY, _SERIES, _INSTANCE, _CLASS = "0020000D", "0020000E", "00080018", "00080016"
_DATE, _MODALITY = "00080020", "00080060"
_OF_STUDY, _OF_SERIES = "00201208", "00201209"


class WebAsker:
    """Asks one peer's DICOMweb service."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def studies(self, question: Question) -> Listed[StudyNamed]:
        """Return the studies that the peer names; those of another day than was asked for are left out."""
        query = {"limit": str(LIMIT), "includefield": _OF_STUDY}
        if question.modality is not None:
            query["ModalitiesInStudy"] = question.modality
        if question.day is not None:
            query["StudyDate"] = f"{question.day:%Y%m%d}"
        if not question.is_whole_day:
            query["StudyTime"] = f"{_clock(question.first)}-{_clock(question.last)}"
        if question.study_uid is not None:
            query["StudyInstanceUID"] = question.study_uid
        if question.accession is not None:
            query["AccessionNumber"] = question.accession
        objects, is_partial = self._listed("/studies", query)
        found = [StudyNamed(_text(one, _STUDY), _text(one, _DATE), _number(one, _OF_STUDY)) for one in objects]
        kept = tuple(one for one in found if is_uid(one.uid) and _is_asked_for(one, question))
        return Listed(kept, is_partial or len(objects) >= LIMIT or len(kept) < len(found))

    def series(self, study_uid: str) -> Listed[SeriesNamed]:
        """Return the series of a study."""
        query = {"limit": str(LIMIT), "includefield": _OF_SERIES}
        objects, is_partial = self._listed(f"/studies/{study_uid}/series", query)
        found = [SeriesNamed(_text(one, _SERIES), _text(one, _MODALITY), _number(one, _OF_SERIES)) for one in objects]
        kept = tuple(one for one in found if is_uid(one.uid))
        return Listed(kept, is_partial or len(kept) < len(found))

    def instances(self, study_uid: str, series_uid: str) -> Listed[InstanceNamed]:
        """Return the instances of a series."""
        path = f"/studies/{study_uid}/series/{series_uid}/instances"
        objects, is_partial = self._listed(path, {"limit": str(LIMIT), "includefield": _CLASS})
        found = [InstanceNamed(_text(one, _INSTANCE), _text(one, _CLASS)) for one in objects]
        kept = tuple(one for one in found if is_uid(one.uid))
        return Listed(kept, is_partial or len(kept) < len(found))

    def _listed(self, path: str, query: dict[str, str]) -> tuple[Sequence[dict[str, Any]], bool]:
        try:
            return self._web.listed(path, query)
        except TooMuch:
            return (), True


def _is_asked_for(study: StudyNamed, question: Question) -> bool:
    if question.study_uid is not None:
        return study.uid == question.study_uid
    return question.day is None or study.day in ("", f"{question.day:%Y%m%d}")


def _clock(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


def _values(one: dict[str, Any], tag: str) -> list[Any]:
    element = one.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _text(one: dict[str, Any], tag: str) -> str:
    values = _values(one, tag)
    return values[0].strip("\0 ") if values and isinstance(values[0], str) else ""


def _number(one: dict[str, Any], tag: str) -> int | None:
    """Return a count; some peers write it as text."""
    values = _values(one, tag)
    try:
        return int(values[0])
    except (IndexError, TypeError, ValueError):
        return None
