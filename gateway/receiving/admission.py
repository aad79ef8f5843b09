"""Decides on each association that is asked for, and serves those that are allowed, a thread each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from gateway.receiving.acceptor import LEAVE_SECONDS
from gateway.receiving.association import Association
from gateway.receiving.durable_film import FilmIntake
from gateway.receiving.group_commit import Committer
from gateway.receiving.limits import Limits
from gateway.receiving.pdu import (
    CALLED_UNKNOWN,
    CALLING_UNKNOWN,
    NOT_NOW,
    OTHER_CONTEXT,
    OTHER_PROTOCOL,
    TOO_MANY,
    Rejection,
    abort_pdu,
)
from gateway.receiving.pending_association import Asking
from gateway.receiving.readiness import Standing
from gateway.receiving.request import APPLICATION_CONTEXT, Request, accept_pdu, read_request
from gateway.receiving.services import negotiated
from gateway.receiving.spool import Spool
from gateway.receiving.wire import Wire
from schemas.errors import PeerGone
from wetread.store.received.peers import Peer, peer_of
from wetread.store.received.received_films import Sender

STACK_BYTES = 512 * 1024
_FIRST_PROTOCOL = 1


@dataclass(slots=True)
class _Served:
    peer: str
    wire: Wire
    association: Association
    thread: threading.Thread | None = None


@dataclass(slots=True)
class Reception:
    """What it takes to serve associations. titles: those that we are called by; counted: told of each ending."""

    spool: Spool
    committer: Committer
    standing: Standing
    limits: Limits
    titles: Collection[str]
    everything: bool
    counted: Callable[[str, str], object]
    _served: dict[int, _Served] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, asking: Asking) -> bool:
        """Accept or refuse; return whether the connection is ours now. Raises PeerFault for what is no request."""
        request = read_request(bytes(asking.request))
        peer = peer_of(self.standing.peers, request.calling, asking.address)
        why = self._refusal(request, peer)
        if why is None and peer is not None:
            if self._serve(asking, request, peer):
                return True
            why = TOO_MANY
        why = why or CALLING_UNKNOWN
        self.counted("refused", why.word)
        structlog.get_logger().warning(
            "an association was refused", why=why.word, calling=request.calling, called=request.called,
            address=asking.address,
        )  # fmt: skip
        asking.refuse(why, time.monotonic() + LEAVE_SECONDS)
        return False

    def end(self, seconds: float) -> None:
        """End the associations: those between two messages at once, the others when theirs is answered, or then."""
        until = time.monotonic() + seconds
        while served := self._now():
            late = time.monotonic() > until
            for one in served:
                if late or not one.association.is_busy:
                    one.wire.wake()
            time.sleep(0.02)
            if time.monotonic() > until + 1.0:
                return

    def __len__(self) -> int:
        """Return how many associations are served now."""
        return len(self._served)

    def _refusal(self, request: Request, peer: Peer | None) -> Rejection | None:
        if not request.version & _FIRST_PROTOCOL:
            return OTHER_PROTOCOL
        if request.application != APPLICATION_CONTEXT:
            return OTHER_CONTEXT
        if request.called not in self.titles:
            return CALLED_UNKNOWN
        if peer is None:
            # Who is away knows no peers: an answer for good would have a sender give up.
            return CALLING_UNKNOWN if self.standing.refusal() != "database" else NOT_NOW
        if self.standing.refusal() is not None:
            return NOT_NOW
        counts = Counter(one.peer for one in self._now())
        if counts.total() >= self.limits.associations or counts[peer.name] >= self.limits.associations_a_peer:
            return TOO_MANY
        return None

    def _serve(self, asking: Asking, request: Request, peer: Peer) -> bool:
        """Give it a thread; return whether there was memory for one."""
        results = negotiated(request.contexts, everything=self.everything)
        contexts = {
            number: (request.contexts[number].abstract, syntax)
            for number, syntax in results.items()
            if isinstance(syntax, str)
        }
        wire = Wire(asking.connection, self.limits)
        sender = Sender(request.calling, request.called, asking.address)
        intake = FilmIntake(self.spool, self.committer, self.standing, sender, self.limits.object_bytes, self.counted)
        served = _Served(peer.name, wire, Association(wire, contexts, intake, self.limits))
        with self._lock:
            self._served[id(served)] = served
        served.thread = threading.Thread(
            target=self._run, args=(served, accept_pdu(request, results)), name=f"association {peer.name}", daemon=True
        )
        try:
            served.thread.start()
        except RuntimeError:
            with self._lock:
                del self._served[id(served)]
            return False
        return True

    def _run(self, served: _Served, accepted: bytes) -> None:
        try:
            served.wire.write(accepted)
            self.counted("ended", served.association.serve())
        except PeerGone:
            self.counted("ended", "broken")
        except Exception as error:  # one association's fault ends that one  # noqa: BLE001 - and no other
            structlog.get_logger().error("an association failed", why=type(error).__name__)
            self.counted("ended", "failed")
            with suppress(PeerGone):
                served.wire.write(abort_pdu())
        finally:
            with self._lock:
                self._served.pop(id(served), None)
            served.wire.end()

    def _now(self) -> list[_Served]:
        with self._lock:
            return list(self._served.values())
