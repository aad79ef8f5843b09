"""Asks by C-FIND. Source: DICOM PS3.4, annex C.4.1 and C.6.2 (Study Root)."""

from __future__ import annotations

from gateway.calling.patience import CallPatience
from gateway.calling.query import Query
from gateway.pulling.questions import LIMIT, InstanceNamed, Listed, Question, SeriesNamed, StudyNamed
from gateway.receiving.dimse import is_uid


class FindAsker:
    """Asks one peer by C-FIND."""

    def __init__(self, query: Query, patience: CallPatience) -> None:
        self._query, self._patience = query, patience

    def studies(self, question: Question) -> Listed[StudyNamed]:
        """Return the studies that the peer names; those of another day than was asked for are left out."""
        day = "" if question.day is None else f"{question.day:%Y%m%d}"
        keys = {
            "StudyInstanceUID": question.study_uid or "", "StudyDate": day, "NumberOfStudyRelatedInstances": "",
        }  # fmt: skip
        if question.modality is not None:
            keys["ModalitiesInStudy"] = question.modality
        if not question.is_whole_day:
            keys["StudyTime"] = f"{_clock(question.first)}-{_clock(question.last)}"
        if question.accession is not None:
            keys["AccessionNumber"] = question.accession
        rows, is_cut = self._found("STUDY", keys)
        found = [
            StudyNamed(row["StudyInstanceUID"], row["StudyDate"], _number(row["NumberOfStudyRelatedInstances"]))
            for row in rows
        ]
        kept = tuple(
            one
            for one in found
            if is_uid(one.uid) and (not day or one.day in ("", day)) and question.study_uid in (None, one.uid)
        )
        return Listed(kept, is_cut or len(rows) >= LIMIT or len(kept) < len(found))

    def series(self, study_uid: str) -> Listed[SeriesNamed]:
        """Return the series of a study."""
        keys = {
            "StudyInstanceUID": study_uid, "SeriesInstanceUID": "", "Modality": "",
            "NumberOfSeriesRelatedInstances": "",
        }  # fmt: skip
        rows, is_cut = self._found("SERIES", keys)
        kept = tuple(
            SeriesNamed(row["SeriesInstanceUID"], row["Modality"], _number(row["NumberOfSeriesRelatedInstances"]))
            for row in rows
            if is_uid(row["SeriesInstanceUID"])
        )
        return Listed(kept, is_cut or len(kept) < len(rows))

    def instances(self, study_uid: str, series_uid: str) -> Listed[InstanceNamed]:
        """Return the instances of a series."""
        keys = {
            "StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid, "SOPInstanceUID": "", "SOPClassUID": "",
        }  # fmt: skip
        rows, is_cut = self._found("IMAGE", keys)
        kept = tuple(
            InstanceNamed(row["SOPInstanceUID"], row["SOPClassUID"]) for row in rows if is_uid(row["SOPInstanceUID"])
        )
        return Listed(kept, is_cut or len(kept) < len(rows))

    def _found(self, level: str, keys: dict[str, str]) -> tuple[list[dict[str, str]], bool]:
        return self._patience.tried(lambda: self._query.find(level, keys))


def _clock(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
