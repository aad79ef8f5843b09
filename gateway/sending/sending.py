"""Sends what is to be sent to one peer: each report once, asked for before it is sent again, and until it is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from gateway.calling.dicom import Caller
from gateway.calling.patience import Busy, CallPatience, NoAnswer
from gateway.calling.web import Web
from gateway.sending.report import film_header, report, report_uid
from gateway.sending.senders import NotTaken, ReportSender, StoreSender, WebSender
from schemas.errors import PeerAway, Rejected, UsageError
from schemas.states import DeliveryState
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.received.deliveries import (
    DeliveryRow,
    Reading,
    Wish,
    begin_attempt,
    pending_deliveries,
    reading_of,
    readings,
    settle_delivery,
    write_deliveries,
)
from wetread.store.received.peers import Peer, find_peer
from worker.failpoints import reach

SLICE = 200
AS_YET = 3
"""Times that a report which was taken is asked for before that is left to the next command."""

How = Literal["auto", "stow", "store"]


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends readings to `peer`. title: by which we call."""

    database: Database
    settings: Settings
    peer: Peer
    how: How
    title: str
    patience: CallPatience
    looked: Callable[[], object] = lambda: None

    @classmethod
    def open(
        cls, database: Database, settings: Settings, name: str, how: How, title: str, stop: threading.Event
    ) -> Sending:
        """Return what sends to the peer of this name; raise UsageError where nobody said that it may have readings."""
        with database.reading() as session:
            peer = find_peer(session, name)
        if not peer.calls.readings:
            raise UsageError(
                f"expected a peer that may have readings, found that nobody said so of {name}: `wetread peers edit "
                f"{name} --readings` does; they are not for diagnostic use"
            )
        return cls(database, settings, peer, how, title, CallPatience(stop))

    def wished(self, wish: Wish) -> list[Reading]:
        """Return the readings that are wished for."""
        with self.database.reading() as session:
            return list(readings(session, wish))

    def write(self, wish: Wish) -> int:
        """Write down what is to be sent; return how many are new."""
        found, new = iter(self.wished(wish)), 0
        while part := list(islice(found, SLICE)):
            with self.database.writing() as session:
                new += write_deliveries(session, self.peer.name, part, report_uid)
        return new

    def send(self) -> None:
        """Send what is pending. Raises PeerAway, UsageError or AskedToStop; the same command goes on then."""
        sender, after = self._sender(), 0
        try:
            while True:
                with self.database.reading() as session:
                    found = pending_deliveries(session, self.peer.name, after, SLICE)
                if not found:
                    return
                for delivery in found:
                    self.patience.check()
                    self._deliver(sender, delivery)
                    self.looked()
                after = found[-1].id
        finally:
            sender.close()

    def _sender(self) -> ReportSender:
        calls = self.peer.calls
        if self.how == "stow" or (self.how == "auto" and calls.web is not None):
            return WebSender(Web(self.peer, self.patience))
        return StoreSender(Caller(self.peer, self.title, self.patience))

    def _deliver(self, sender: ReportSender, delivery: DeliveryRow) -> None:
        with self.database.reading() as session:
            reading = reading_of(session, delivery)
        if reading is None or report_uid(reading) != delivery.report_uid:
            self._settle(delivery, DeliveryState.CANCELLED, "the reading has changed")
            return
        try:
            film = film_header(os.path.join(self.settings.local_root(reading.root), reading.path))
            made = report(film, reading, delivery.predecessor_uid)
        except Rejected as rejected:
            self._settle(delivery, DeliveryState.FAILED, rejected.detail)
            return
        placed = str(made.StudyInstanceUID), str(made.SeriesInstanceUID), delivery.report_uid

        def has() -> bool:
            return sender.has(*placed)

        # Whether an attempt without an answer reached the peer is asked of it, and not tried.
        if delivery.attempts and self.patience.tried(has):
            self._settle(delivery, DeliveryState.COMMITTED, None)
            return
        if delivery.state == DeliveryState.SENT and delivery.attempts > AS_YET:
            self._settle(delivery, DeliveryState.FAILED, "it was taken, and the peer does not have it")
            return

        def sent() -> bool:
            return has() or self._sent(sender, delivery, made)

        try:
            self._sent(sender, delivery, made)
        except NotTaken as refused:
            self._settle(delivery, DeliveryState.FAILED, f"the peer does not take it: {refused}")
            return
        except (NoAnswer, Busy) as unknown:
            try:
                self.patience.tried(sent)
            except NotTaken as refused:
                self._settle(delivery, DeliveryState.FAILED, f"the peer does not take it: {refused}")
                return
            except PeerAway as away:
                raise away from unknown
        self._settle(delivery, DeliveryState.SENT, None)
        reach("delivery_sent")
        for _ in range(AS_YET):
            if self.patience.tried(has):
                self._settle(delivery, DeliveryState.COMMITTED, None)
                return
            self.patience.rest(self.patience.first_wait)

    def _sent(self, sender: ReportSender, delivery: DeliveryRow, made: object) -> bool:
        with self.database.writing() as session:
            begin_attempt(session, delivery.id)
        reach("delivery_attempt")
        sender.send(made)
        reach("delivery_taken")
        return True

    def _settle(self, delivery: DeliveryRow, state: DeliveryState, why: str | None) -> None:
        with self.database.writing() as session:
            settle_delivery(session, delivery.id, state, why)
