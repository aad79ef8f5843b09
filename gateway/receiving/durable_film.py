"""One film that comes in: written and hashed, looked at, made to last, recorded, and only then answered by 0x0000."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.receiving.dimse import SUCCESS, Answer, Command, Status, is_uid
from gateway.receiving.file_meta import file_head
from gateway.receiving.group_commit import Committer
from gateway.receiving.readiness import Standing
from gateway.receiving.services import VERIFICATION, is_film
from gateway.receiving.spool import Part, Spool
from gateway.receiving.whole_object import looked_at
from schemas.errors import Rejected
from wetread.store.received.received_films import ReceivedFilm, Sender
from worker.failpoints import reach

FULL = Answer(Status.OUT_OF_RESOURCES, "the disk is too full")
AWAY = Answer(Status.OUT_OF_RESOURCES, "the database is away")
TOO_LARGE = Answer(Status.CANNOT_UNDERSTAND, "the object is larger than is taken")
MISMATCH = Answer(Status.DOES_NOT_MATCH, "the data set names another SOP class or instance")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class FilmIntake:
    """Takes the films of one association. sender: whose they are; object_bytes: the largest that is taken."""

    spool: Spool
    committer: Committer
    standing: Standing
    sender: Sender
    object_bytes: int
    counted: Callable[[str, str], object]

    def begin(self, command: Command, abstract: str, syntax: str) -> Incoming:
        """Begin to take a data set; where it is refused, it is passed over to its end and answered so."""
        incoming = Incoming(self, command, syntax)
        if command.sop_class != abstract or abstract == VERIFICATION:
            return incoming.refuse(Answer(Status.SOP_CLASS_NOT_SUPPORTED, "not the SOP class of its context"))
        if not is_uid(command.instance):
            return incoming.refuse(Answer(Status.INVALID_INSTANCE, "no SOP instance UID"))
        if (why := self.standing.refusal()) is not None:
            return incoming.refuse(FULL if why == "disk" else AWAY)
        return incoming.start()


@dataclass(slots=True)
class Incoming:
    """One data set on its way in."""

    intake: FilmIntake
    command: Command
    syntax: str
    _head: bytes = b""
    _part: Part | None = None
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _size: int = 0
    _refusal: Answer | None = None

    def refuse(self, answer: Answer) -> Incoming:
        """Keep nothing of it; what comes is passed over."""
        self._refusal = answer
        self.abandon()
        return self

    def start(self) -> Incoming:
        """Open a file for a film; of anything else only the digest is taken."""
        self._head = file_head(self.command.sop_class, self.command.instance, self.syntax)
        try:
            if is_film(self.command.sop_class):
                self._part = self.intake.spool.begin()
            self._keep(memoryview(self._head))
        except OSError as error:
            self._disk_failed(error)
        reach("received_part")
        return self

    def write(self, part: memoryview) -> None:
        """Take a part of the data set."""
        if self._refusal is not None:
            return
        if self._size + len(part) > self.intake.object_bytes:
            self.refuse(TOO_LARGE)
            return
        try:
            self._keep(part)
        except OSError as error:
            self._disk_failed(error)

    def finish(self) -> Answer:
        """Make it last, and record it; return the answer."""
        answer = self._answer()
        self.intake.counted("answers", answer.status.name.lower())
        return answer

    def _answer(self) -> Answer:
        if self._refusal is None:
            try:
                return self._finished()
            except OSError as error:
                self._disk_failed(error)
            except Rejected as rejected:
                structlog.get_logger().warning("a film was refused", why=rejected.detail)
                self.refuse(Answer(Status.CANNOT_UNDERSTAND, rejected.detail))
        return self._refusal or FULL

    def abandon(self) -> None:
        """Remove what was written."""
        part, self._part = self._part, None
        if part is not None:
            part.abandon()

    def _keep(self, part: memoryview) -> None:
        self._size += len(part)
        if self._part is None:
            self._digest.update(part)
        else:
            self._part.write(part)

    def _finished(self) -> Answer:
        command, part = self.command, self._part
        if part is None:
            return self._recorded(ReceivedFilm(
                command.instance, command.sop_class, self.syntax, self._digest.hexdigest(), self._size, None, 0,
                self.intake.sender,
            ))  # fmt: skip
        named = looked_at(part.descriptor, len(self._head), self.syntax)
        if (named.sop_class, named.instance) != (command.sop_class, command.instance):
            self.refuse(MISMATCH)
            return MISMATCH
        part.sync()
        reach("received_synced")
        film = part.place()
        self._part = None
        reach("received_renamed")
        return self._recorded(ReceivedFilm(
            command.instance, command.sop_class, self.syntax, film.sha256, film.size, film.path, film.mtime_ns,
            self.intake.sender,
        ))  # fmt: skip

    def _recorded(self, film: ReceivedFilm) -> Answer:
        if not self.intake.committer.commit(film):
            return AWAY
        reach("received_committed")
        return SUCCESS

    def _disk_failed(self, error: OSError) -> None:
        structlog.get_logger().error("a film was refused: the disk does not take it", why=error.strerror)
        if error.errno in _NO_ROOM:
            self.intake.standing.disk_was_full()
        self.refuse(FULL)
