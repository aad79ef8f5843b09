"""One pull from start to end: opened or gone on with, asked for, fetched, and said to be finished or not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog

from gateway.calling.dicom import Caller, accepted
from gateway.calling.patience import CallPatience
from gateway.calling.query import FIND, GET, UNCOMPRESSED, Query
from gateway.calling.web import Web
from gateway.pulling.asking_find import FindAsker
from gateway.pulling.asking_web import WebAsker
from gateway.pulling.fetched_films import Door
from gateway.pulling.fetchers import Fetcher, GetFetcher, MoveFetcher, WadoFetcher
from gateway.pulling.fetching import Fetching, FetchPace
from gateway.pulling.pull_order import PullOrder, Via
from gateway.pulling.questions import Asker
from gateway.pulling.wanted_list import PullQuestions
from gateway.receiving.spool import FETCHING, Spool, is_listening
from schemas.errors import UsageError
from schemas.states import PullState
from wetread.clock import utc_now
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.received.peers import Peer, checked_title, find_peer
from wetread.store.received.pulls import PullRow, PullWish, open_pull, read_pull, set_pull, why_failed
from wetread.store.received.received_films import open_account
from wetread.store.roots.adding import root_ids


@dataclass(slots=True)
class Pulling:
    """A pull that was opened: the number of its row, and what it takes. look: told now and then of its accounts."""

    database: Database
    order: PullOrder
    peer: Peer
    via: Via
    spool: Spool
    root_id: int
    pull_id: int
    goes_on: bool
    object_bytes: int
    patience: CallPatience
    look: Callable[[PullRow], object] = lambda _: None
    clock: Callable[[], datetime] = utc_now
    _closing: list[Callable[[], object]] = field(default_factory=list)

    @classmethod
    def open(
        cls, database: Database, settings: Settings, order: PullOrder, directory: bytes, stop: threading.Event
    ) -> Pulling:
        """Open the pull of this wish into a spool, or go on with the one that was left.

        Raises UsageError where the peer cannot be called so, PeerAway where it does not answer.
        """
        checked_title(order.title)
        wanted = order.wanted.checked()
        patience = CallPatience(stop, silent=order.silent)
        with database.reading() as session:
            peer = find_peer(session, order.peer)
        via = order.via if order.via != "auto" else _chosen(peer, order.title, patience)
        spool = Spool(directory, FETCHING)
        try:
            if via == "move" and not is_listening(directory):
                raise UsageError(
                    "expected `wetread listen` with the same --spool, to which C-MOVE sends, found none; start it, or "
                    "choose --via get or wado"
                )
            films = os.path.realpath(spool.films)
            with database.writing() as session:
                (root_id,) = root_ids(session, [films], settings.root_map)
                open_account(session, root_id)
            wish = PullWish(
                peer.name, wanted.digest, root_id, _text(wanted.since), _text(wanted.until),
                ",".join(wanted.modalities), via,
            )  # fmt: skip
            with database.writing() as session:
                pull_id, goes_on = open_pull(session, wish)
        except BaseException:
            spool.close()
            raise
        return cls(
            database, order, peer, via, spool, root_id, pull_id, goes_on, settings.file_bytes, patience
        )  # fmt: skip

    @property
    def account(self) -> PullRow:
        """Return the pull and its accounts now."""
        with self.database.reading() as session:
            return read_pull(session, self.pull_id)

    def pull(self) -> PullRow:
        """Ask and fetch; return the accounts, whose state says whether all of it is here.

        Raises AskedToStop, PeerAway, UsageError or ServiceUnavailable; the same command goes on then.
        """
        door = Door(
            self.database, self.spool, self.root_id, self.peer, self.object_bytes, self.order.watermark
        )  # fmt: skip
        try:
            door.open()
            self._closing.append(door.close)
            is_sure = self._asked()
            if is_sure:  # else it is asked again, should this be the last that is heard of it
                with self.database.writing() as session:
                    set_pull(session, self.pull_id, PullState.FETCHING)
            Fetching(
                self.database, self.pull_id, self._fetcher(door), door, self.patience, FetchPace(self.order.pace),
                self.order.connections, lambda: self.look(self.account),
            ).fetch()  # fmt: skip
            return self._ended(is_sure)
        finally:
            for close in reversed(self._closing):
                close()
            self._closing.clear()
            self.spool.close()

    def _asked(self) -> bool:
        """Ask, where not all was; return whether the answers can have been all there is."""
        wanted = self.order.wanted.checked()
        if self.account.state == PullState.FETCHING and wanted.is_closed:
            return True
        with self.database.writing() as session:
            set_pull(session, self.pull_id, PullState.ASKING)
        asking = PullQuestions(self.database, self._asker(), wanted, self.pull_id, self.patience)
        asking.ask(self.clock().astimezone().date())
        return asking.is_sure

    def _asker(self) -> Asker:
        if self.via == "wado":
            web = Web(self.peer, self.patience)
            self._closing.append(web.close)
            return WebAsker(web)
        query = Query(Caller(self.peer, self.order.title, self.patience), FIND)
        self._closing.append(query.close)
        return FindAsker(query, self.patience)

    def _fetcher(self, door: Door) -> Callable[[], Fetcher]:
        if self.via == "wado":
            web = Web(self.peer, self.patience, self.order.connections)
            self._closing.append(web.close)
            return lambda: WadoFetcher(web, door)
        caller = Caller(self.peer, self.order.title, self.patience)
        if self.via == "get":
            return lambda: GetFetcher(caller, door)
        return lambda: MoveFetcher(caller, self.database, self.root_id, self.order.title)

    def _ended(self, is_sure: bool) -> PullRow:
        account = self.account
        notes = []
        if account.failed:
            with self.database.reading() as session:
                why = "; ".join(f"{count} times: {text}" for text, count in why_failed(session, self.pull_id)[:3])
            notes.append(f"{account.failed} could not be fetched ({why})")
        if account.short:
            notes.append(f"{account.short} studies have more instances than the peer listed")
        if not is_sure:
            notes.append("the peer said, or showed, that there are more studies than it listed")
        state = PullState.INCOMPLETE if notes else PullState.FINISHED
        with self.database.writing() as session:
            set_pull(session, self.pull_id, state, "; ".join(notes) or None)
        structlog.get_logger().info("a pull ended", pull=self.pull_id, state=str(state), received=account.received)
        return self.account


def _chosen(peer: Peer, title: str, patience: CallPatience) -> Via:
    """Return how a peer's films are had: by DICOMweb where it is known, by C-GET where it is taken, else by C-MOVE."""
    if peer.calls.web is not None:
        return "wado"
    if peer.calls.port is None:
        raise UsageError(
            f"expected how to call {peer.name}, found neither a DICOM port nor a DICOMweb address; give one by "
            f"`wetread peers edit {peer.name} --port PORT` or `--web URL`"
        )
    caller = Caller(peer, title, patience)

    def takes_get() -> bool:
        with caller.association([(FIND, UNCOMPRESSED), (GET, UNCOMPRESSED)]) as association:
            return accepted(association, GET)

    return "get" if patience.tried(takes_get) else "move"


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
