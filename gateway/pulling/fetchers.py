"""Fetches one instance: by WADO-RS, by C-GET, or by C-MOVE to our own `wetread listen`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from gateway.calling.dicom import Caller, Context
from gateway.calling.part10 import file_parts, split_head
from gateway.calling.patience import NoAnswer
from gateway.calling.query import GET, MOVE, Query
from gateway.calling.web import Refused, TooMuch, Web
from gateway.pulling.fetched_films import Door
from gateway.receiving.dimse import Answer, is_uid
from gateway.receiving.services import FILMS, SYNTAXES, is_film
from schemas.states import PulledState
from wetread.store.core.database import Database
from wetread.store.received.pulls import PendingInstance, has_received

_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_AS_LIKED = 'multipart/related; type="application/dicom"'
_NOT_ACCEPTABLE, _GONE = 406, frozenset({404, 410})
_ENVELOPE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """What became of an instance, and why where it failed."""

    state: PulledState
    why: str | None = None


RECEIVED, GONE, NOT_WANTED = (
    FetchOutcome(state) for state in (PulledState.RECEIVED, PulledState.GONE, PulledState.NOT_WANTED)
)


class Fetcher(Protocol):
    """Fetches for one thread. Raises NoAnswer or Busy where it may be tried again."""

    def fetch(self, wanted: PendingInstance) -> FetchOutcome:
        """Fetch an instance; when it is RECEIVED it is safe."""

    def close(self) -> None:
        """Close its connection."""


class WadoFetcher:
    """Fetches by WADO-RS, in the transfer syntax in which the peer has it."""

    def __init__(self, web: Web, door: Door) -> None:
        self._web, self._door = web, door
        self._accept = _AS_STORED

    def fetch(self, wanted: PendingInstance) -> FetchOutcome:
        """Fetch an instance."""
        path = f"/studies/{wanted.study_uid}/series/{wanted.series_uid}/instances/{wanted.sop_instance_uid}"
        try:
            return self._fetched(path, wanted)
        except TooMuch:
            return FetchOutcome(PulledState.FAILED, "HTTP 413")
        except Refused as refused:
            if refused.status in _GONE:
                return GONE
            if refused.status == _NOT_ACCEPTABLE and self._accept != _AS_LIKED:
                self._accept = _AS_LIKED
                raise NoAnswer("expected a film as it is stored, found HTTP 406") from refused
            return FetchOutcome(PulledState.FAILED, str(refused))

    def close(self) -> None:
        """Leave the connections to the pool."""

    def _fetched(self, path: str, wanted: PendingInstance) -> FetchOutcome:
        with self._web.called("GET", path, {}, {"Accept": self._accept}) as answer:
            if answer.is_partial:
                raise NoAnswer("expected a whole film, found HTTP 206")
            most = self._door.object_bytes + _ENVELOPE_BYTES
            head, data_set = split_head(file_parts(answer.content_type, answer.parts(most)))
            if not is_film(head.sop_class):
                for _ in data_set:
                    pass
                return NOT_WANTED
            if not is_uid(head.syntax) or head.instance not in ("", wanted.sop_instance_uid):
                raise NoAnswer("expected the film that was asked for, found another")
            said = self._door.take(head.sop_class, wanted.sop_instance_uid, head.syntax, data_set)
        self._door.settled(said)
        return RECEIVED


class GetFetcher:
    """Fetches by C-GET: the peer sends within our association, in the transfer syntax in which it has the film."""

    def __init__(self, caller: Caller, door: Door) -> None:
        # A context for each transfer syntax, so that the peer, and not we, chooses.
        storing: list[Context] = [(sop_class, (syntax,)) for sop_class in FILMS for syntax in SYNTAXES]
        self._query = Query(caller, GET, storing, self._taken)
        self._door = door
        self._answers: dict[str, Answer] = {}

    def fetch(self, wanted: PendingInstance) -> FetchOutcome:
        """Fetch an instance."""
        self._answers.clear()
        had_any = self._query.retrieve("IMAGE", _keys(wanted))
        answer = self._answers.get(wanted.sop_instance_uid)
        if answer is not None:
            self._door.settled(answer)
            return RECEIVED
        if had_any:
            raise NoAnswer("expected the film that was asked for, found that the peer did not send it")
        return GONE

    def close(self) -> None:
        """Release the association."""
        self._query.close()

    def _taken(self, event: Any) -> int:
        request = event.request
        instance = str(request.AffectedSOPInstanceUID)
        data_set = request.DataSet.getbuffer()
        syntax = str(event.context.transfer_syntax)
        answer = self._door.take(str(request.AffectedSOPClassUID), instance, syntax, [data_set])
        self._answers[instance] = answer
        return int(answer.status)


class MoveFetcher:
    """Has the peer send by C-MOVE to our `wetread listen`; what its rows have is received."""

    def __init__(self, caller: Caller, database: Database, root_id: int, title: str) -> None:
        self._query = Query(caller, MOVE)
        self._database, self._root_id, self._title = database, root_id, title

    def fetch(self, wanted: PendingInstance) -> FetchOutcome:
        """Have an instance sent."""
        had_any = self._query.retrieve("IMAGE", _keys(wanted), self._title)
        with self._database.reading() as session:
            if has_received(session, self._root_id, wanted.sop_instance_uid):
                return RECEIVED
        if had_any:
            raise NoAnswer("expected the film that was asked for at `wetread listen`, found that it did not come")
        return GONE

    def close(self) -> None:
        """Release the association."""
        self._query.close()


def _keys(wanted: PendingInstance) -> dict[str, str]:
    return {
        "StudyInstanceUID": wanted.study_uid, "SeriesInstanceUID": wanted.series_uid,
        "SOPInstanceUID": wanted.sop_instance_uid,
    }  # fmt: skip
