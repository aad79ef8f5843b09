"""Sends a report, and asks whether the peer has one: by STOW-RS and QIDO-RS, or by C-STORE and C-FIND."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any, Protocol

from gateway.calling.dicom import Caller, guarded, is_success, status_of
from gateway.calling.patience import NoAnswer
from gateway.calling.query import FIND, Query
from gateway.calling.web import Refused, TooMuch, Web
from gateway.sending.report import COMPREHENSIVE_SR

_BOUNDARY = "wetread-report"
_ANSWER_BYTES = 4 * 1024 * 1024
_WRITTEN_IN = "1.2.840.10008.1.2.1"
_FAILED = "00081198"


class NotTaken(Exception):
    """The peer answered that it does not take a report. Its text says the status."""


class ReportSender(Protocol):
    """Sends to one peer. Raises NoAnswer or Busy where what became of it is not known, or it may be tried again."""

    def send(self, report: Any) -> None:
        """Send a report; raise NotTaken where the peer refuses it."""

    def has(self, study_uid: str, series_uid: str, report_uid: str) -> bool:
        """Return whether the peer says that it has a report."""

    def close(self) -> None:
        """Close its connections."""


class WebSender:
    """Sends by STOW-RS."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def send(self, report: Any) -> None:
        """Send a report."""
        file = BytesIO()
        report.save_as(file, enforce_file_format=True)
        head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = head + file.getvalue() + f"\r\n--{_BOUNDARY}--\r\n".encode()
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}',
            "Accept": "application/dicom+json",
        }
        try:
            with self._web.called("POST", "/studies", {}, headers, body) as answer:
                said = b"".join(answer.parts(_ANSWER_BYTES))
        except Refused as refused:
            raise NotTaken(str(refused)) from refused
        except TooMuch as error:
            raise NotTaken("HTTP 413") from error
        if _names_failures(said):
            raise NotTaken("it says that it failed to store it")

    def has(self, study_uid: str, series_uid: str, report_uid: str) -> bool:
        """Return whether a search finds it."""
        found, _ = self._web.listed(
            f"/studies/{study_uid}/series/{series_uid}/instances", {"SOPInstanceUID": report_uid}
        )
        return any(report_uid in one.get("00080018", {}).get("Value", []) for one in found)

    def close(self) -> None:
        """Close its connections."""
        self._web.close()


class StoreSender:
    """Sends by C-STORE."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._query = caller, Query(caller, FIND)

    def send(self, report: Any) -> None:
        """Send a report, in an association of its own."""
        with self._caller.association([(COMPREHENSIVE_SR, (_WRITTEN_IN,))]) as association:
            try:
                with guarded(association, self._caller.patience.whole):
                    status = status_of(association.send_c_store(report))
            except (OSError, RuntimeError, ValueError, AttributeError) as error:
                raise NoAnswer(f"expected an answer to C-STORE, found: {type(error).__name__}") from error
        if status < 0 or status & 0xFF00 == 0xA700:  # out of resources: it may have room another time
            raise NoAnswer("expected an answer to C-STORE, found none, or that it has no room")
        if not is_success(status):
            raise NotTaken(f"status {status:04X}")

    def has(self, study_uid: str, series_uid: str, report_uid: str) -> bool:
        """Return whether C-FIND finds it."""
        keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid, "SOPInstanceUID": report_uid}
        found, _ = self._query.find("IMAGE", keys)
        return any(one["SOPInstanceUID"] == report_uid for one in found)

    def close(self) -> None:
        """Release the association of the queries."""
        self._query.close()


def _names_failures(said: bytes) -> bool:
    try:
        found = json.loads(said) if said.strip() else {}
    except ValueError:
        return False  # whether it is there is asked for anyway
    return isinstance(found, dict) and bool(found.get(_FAILED, {}).get("Value"))
