"""Where fetched films come in: by the same way as received ones, so that what counts as fetched is safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from gateway.calling.patience import NoAnswer
from gateway.receiving.dimse import C_STORE, Answer, Command, Status
from gateway.receiving.durable_film import FilmIntake, Incoming
from gateway.receiving.group_commit import Committer
from gateway.receiving.readiness import LOOK_SECONDS, Standing, Watermark
from gateway.receiving.spool import Spool
from schemas.errors import ServiceUnavailable
from wetread.store.core.database import Database
from wetread.store.received.peers import Peer
from wetread.store.received.received_films import Sender

COMMIT_SECONDS = 60.0


class Door:
    """Takes films that are fetched from `peer` into a spool; used by several threads."""

    def __init__(
        self, database: Database, spool: Spool, root_id: int, peer: Peer, object_bytes: int, watermark: Watermark
    ) -> None:
        self.spool, self.root_id, self.object_bytes = spool, root_id, object_bytes
        self._standing = Standing(database, spool, watermark)
        self._committer = Committer(database, spool, root_id, self._standing, COMMIT_SECONDS)
        sender = Sender(peer.title, "", (peer.host or "")[:45])
        self._intake = FilmIntake(spool, self._committer, self._standing, sender, object_bytes, lambda *_: None)
        self._looked, self._looking = float("-inf"), threading.Lock()

    def open(self) -> None:
        """Begin to take films; what an earlier process left half fetched is removed."""
        self.spool.hold()
        self.spool.remove_parts()
        self._committer.start()
        self.look()

    def close(self) -> None:
        """Take no more."""
        self._committer.end()

    def look(self) -> None:
        """Look, once a second, whether films can be taken; raise ServiceUnavailable where they cannot."""
        with self._looking:  # who comes meanwhile waits for what it finds: the last look may be minutes old
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._standing.look()
                self._looked = time.monotonic()
        self._check()

    def begin(self, sop_class: str, instance: str, syntax: str) -> Incoming:
        """Begin to take a film; nothing of it stays unless its `finish` says so."""
        return self._intake.begin(Command(C_STORE, 1, True, sop_class, instance), sop_class, syntax)

    def take(self, sop_class: str, instance: str, syntax: str, data_set: Iterable[bytes | memoryview]) -> Answer:
        """Take a film from its parts; return the answer, by which it is safe or refused."""
        incoming = self.begin(sop_class, instance, syntax)
        try:
            for part in data_set:
                incoming.write(memoryview(part))
        except BaseException:
            incoming.abandon()
            raise
        return incoming.finish()

    def settled(self, answer: Answer) -> None:
        """Return where a film is safe; raise ServiceUnavailable where none can be, NoAnswer where this one was bad."""
        if answer.status == Status.OUT_OF_RESOURCES:
            self._check()
            raise ServiceUnavailable(f"expected to keep films, found: {answer.comment}; the same command goes on")
        if answer.status != Status.SUCCESS:
            raise NoAnswer(f"expected a whole film, found: {answer.comment}")

    def _check(self) -> None:
        why = self._standing.refusal()
        if why == "disk":
            raise ServiceUnavailable(
                "expected room for films, found the spool's disk below --least-free-gb or --least-free-percent; make "
                "room, and the same command goes on"
            )
        if why == "database":
            raise ServiceUnavailable("expected a database that takes films, found none; the same command goes on")
