"""An association, byte by byte, over a pair of sockets: what is answered, what is aborted, what nobody can break."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from gateway.receiving.association import Association, Intake
from gateway.receiving.dimse import SUCCESS, Answer, Command, Status, read_command
from gateway.receiving.durable_film import FilmIntake
from gateway.receiving.limits import COMMAND_BYTES, PDU_BYTES, Limits
from gateway.receiving.pdu import HEAD, Kind
from gateway.receiving.request import REFUSED_ABSTRACT, REFUSED_TRANSFER, Request, accept_pdu, read_request
from gateway.receiving.services import negotiated
from gateway.receiving.spool import Spool
from gateway.receiving.wire import Wire
from schemas.errors import PeerFault
from tests.associating import (
    DX,
    EXPLICIT,
    VERIFICATION,
    associate_request,
    data,
    element,
    read_pdu,
    release,
    status_of,
    store_command,
)
from wetread.store.received.received_films import Sender

QUICK = Limits(pdu_seconds=0.5, idle_seconds=0.5, object_seconds=2.0)
FUZZED = 10_000 if os.environ.get("CHAOS") == "full" else 500


@dataclass
class Kept:
    """Takes everything."""

    parts: list[bytes] = field(default_factory=list)
    finished: int = 0
    abandoned: int = 0
    answer: Answer = SUCCESS

    def begin(self, command: Command, abstract: str, syntax: str) -> Kept:
        return self

    def write(self, part: memoryview) -> None:
        self.parts.append(bytes(part))

    def finish(self) -> Answer:
        self.finished += 1
        return self.answer

    def abandon(self) -> None:
        self.abandoned += 1


@dataclass
class Talk:
    """An association that is served by a thread, and the peer's end of it."""

    kept: Kept = field(default_factory=Kept)
    limits: Limits = QUICK
    intake: Intake | None = None

    def __enter__(self) -> Self:
        self.peer, ours = socket.socketpair()
        self.peer.settimeout(10)
        self.wire = Wire(ours, self.limits)
        self.ending: list[str] = []
        contexts = {1: (DX, EXPLICIT), 3: (VERIFICATION, EXPLICIT)}
        association = Association(self.wire, contexts, self.intake or self.kept, self.limits)

        def serve() -> None:
            try:
                self.ending.append(association.serve())
            finally:
                self.wire.end(0.0)

        self.thread = threading.Thread(target=serve)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.close()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def ended(self) -> str:
        self.thread.join(20)
        return self.ending[0]


def test_a_film_in_parts_is_answered_once_when_it_is_whole() -> None:
    with Talk() as talk:
        command = store_command("1.2.3")
        talk.peer.sendall(data(command[:20], command=True, last=False) + data(command[20:], command=True))
        talk.peer.sendall(data(b"abc", last=False) + data(b"def"))
        kind, body = read_pdu(talk.peer)
        assert (kind, status_of(body)) == (Kind.DATA, Status.SUCCESS)
        talk.peer.sendall(release())
        assert read_pdu(talk.peer)[0] == Kind.RELEASE_REPLY
        assert (talk.ended(), b"".join(talk.kept.parts), talk.kept.finished) == ("released", b"abcdef", 1)


def test_an_echo_is_answered_and_what_is_not_served_is_refused_after_its_data() -> None:
    def ask(field_value: int, has_data: bool) -> bytes:
        body = element(0x0100, field_value.to_bytes(2, "little")) + element(0x0110, b"\7\0")
        return body + element(0x0800, b"\1\0" if has_data else b"\1\1")

    with Talk() as talk:
        talk.peer.sendall(data(ask(0x0030, has_data=False), command=True, context=3))
        assert status_of(read_pdu(talk.peer)[1]) == Status.SUCCESS
        talk.peer.sendall(data(ask(0x0020, has_data=True), command=True))
        talk.peer.sendall(data(b"what is looked for"))
        assert status_of(read_pdu(talk.peer)[1]) == Status.UNKNOWN_OPERATION
        assert talk.kept.parts == []


@pytest.mark.parametrize(
    ("command", "context", "status"),
    [
        (store_command("a name"), 1, Status.INVALID_INSTANCE),
        (store_command("1." + "2" * 63), 1, Status.INVALID_INSTANCE),
        (store_command(""), 1, Status.INVALID_INSTANCE),
        (store_command("1.2.3", sop_class="a class"), 1, Status.SOP_CLASS_NOT_SUPPORTED),
        (store_command("1.2.3", sop_class=VERIFICATION), 3, Status.SOP_CLASS_NOT_SUPPORTED),
    ],
    ids=["no UID", "too long", "none", "no class", "Verification"],
)
def test_a_film_that_cannot_be_named_is_refused_and_the_next_is_heard(
    tmp_path: Path, command: bytes, context: int, status: Status
) -> None:
    counted: list[tuple[str, str]] = []
    spool = Spool(os.fsencode(tmp_path))
    nobody: Any = None  # neither the database nor the disk is asked
    intake = FilmIntake(spool, nobody, nobody, Sender(), 2**20, lambda *what: counted.append(what))
    with Talk(intake=intake) as talk:
        for _ in range(2):
            talk.peer.sendall(data(command, command=True, context=context) + data(b"a film", context=context))
            kind, body = read_pdu(talk.peer)
            assert (kind, status_of(body)) == (Kind.DATA, status)
            assert b"a name" not in body and b"a class" not in body
        talk.peer.sendall(release())
        assert read_pdu(talk.peer)[0] == Kind.RELEASE_REPLY
    assert counted == [("answers", status.name.lower())] * 2
    assert os.listdir(tmp_path / "incoming") == []


@pytest.mark.parametrize("everything", [False, True])
def test_a_context_that_is_not_understood_is_refused_alone(everything: bool) -> None:
    private = "1.3.46.670589.2.4.1"
    sent = associate_request(
        contexts=[(DX, (EXPLICIT,)), ("a name", (EXPLICIT,)), (DX, ("a name",)), (DX, ()), (DX, ("a name", EXPLICIT)),
                  (private, ("a name",))]
    )  # fmt: skip
    request = read_request(sent[HEAD.size :])
    results = negotiated(request.contexts, everything=everything)
    last = REFUSED_TRANSFER if everything else REFUSED_ABSTRACT
    assert list(results.values()) == [EXPLICIT, REFUSED_ABSTRACT, REFUSED_TRANSFER, REFUSED_TRANSFER, EXPLICIT, last]
    accept_pdu(request, results)


@pytest.mark.parametrize(
    "sent",
    {
        "a PDU that claims 2 GiB": HEAD.pack(Kind.DATA, 2**31),
        "a release that claims 2 GiB": HEAD.pack(Kind.RELEASE_REQUEST, 2**31),
        "one byte more than was told": HEAD.pack(Kind.DATA, PDU_BYTES + 65),
        "a PDU of no type": HEAD.pack(9, 4) + bytes(4),
        "a second request": associate_request(),
        "no value": HEAD.pack(Kind.DATA, 0),
        "a value longer than its PDU": HEAD.pack(Kind.DATA, 6) + (100).to_bytes(4, "big") + b"\1\3",
        "a context that was not accepted": data(b"", command=True, context=5),
        "a data set before its command": data(b"abc"),
        "an endless command": data(bytes(1024), command=True, last=False) * (1 + COMMAND_BYTES // 1024),
        "an endless command of nothing": data(b"", command=True, last=False),
        "a command within another": data(store_command("1.2"), command=True) * 2,
        "a command that is cut": data(store_command("1.2")[:-3], command=True),
    }.items(),
    ids=lambda case: case[0],
)  # fmt: skip
def test_what_breaks_the_protocol_is_aborted_at_once(sent: tuple[str, bytes]) -> None:
    with Talk(limits=Limits(pdu_seconds=5, idle_seconds=5)) as talk:
        began = time.monotonic()
        talk.peer.sendall(sent[1])
        assert read_pdu(talk.peer)[0] == Kind.ABORT
        assert talk.ended() == "fault"
        assert time.monotonic() - began < 4
        assert talk.kept.finished == 0


@pytest.mark.parametrize(
    "sent", [b"", HEAD.pack(Kind.DATA, 100), HEAD.pack(Kind.DATA, 100)[:3], data(store_command("1.2"), command=True)]
)
def test_who_is_silent_is_told_and_left(sent: bytes) -> None:
    with Talk() as talk:
        talk.peer.sendall(sent)
        assert read_pdu(talk.peer)[0] == Kind.ABORT
        assert read_pdu(talk.peer) == (0, b"")
        assert talk.ended() == "fault"
        assert talk.kept.abandoned == (1 if len(sent) > 20 else 0)


def test_a_film_that_never_ends_is_aborted_in_its_time() -> None:
    with Talk(limits=Limits(pdu_seconds=5, idle_seconds=5, object_seconds=0.3)) as talk:
        talk.peer.sendall(data(store_command("1.2.3"), command=True))
        end = time.monotonic() + 10
        while talk.thread.is_alive() and time.monotonic() < end:
            try:
                talk.peer.sendall(data(b"", last=False))
            except OSError:
                break
        assert (talk.ended(), talk.kept.finished, talk.kept.abandoned) == ("fault", 0, 1)


def test_mutated_messages_end_in_an_abort_or_an_answer() -> None:
    """Nothing else: no other exception, no thread that stays, no film that is finished without its last part."""
    random_ = random.Random(20)  # noqa: S311  a seed that gives the same each time
    whole = data(store_command("1.2.3"), command=True) + data(b"x" * 200, last=False) + data(b"y" * 50) + release()
    for _ in range(FUZZED):
        sent = bytearray(whole)
        for _ in range(random_.randint(1, 8)):
            sent[random_.randrange(len(sent))] = random_.randrange(256)
        if random_.random() < 0.3:
            del sent[random_.randrange(len(sent)) :]
        with Talk() as talk:
            talk.peer.sendall(sent)
            talk.peer.shutdown(socket.SHUT_WR)
            assert talk.ended() in {"released", "aborted", "broken", "fault"}, bytes(sent)
            assert talk.kept.finished <= 2


def test_mutated_requests_are_refused_or_read() -> None:
    random_ = random.Random(21)  # noqa: S311  a seed that gives the same each time
    whole = associate_request(contexts=[(DX, (EXPLICIT,)), (VERIFICATION, (EXPLICIT, "1.2.840.10008.1.2"))])[
        HEAD.size :
    ]
    for _ in range(20 * FUZZED):
        sent = bytearray(whole)
        for _ in range(random_.randint(1, 6)):
            sent[random_.randrange(len(sent))] = random_.randrange(256)
        try:
            request = read_request(bytes(sent[: random_.choice([len(sent), random_.randrange(len(sent))])]))
        except PeerFault:
            continue
        assert isinstance(request, Request)
        accept_pdu(request, negotiated(request.contexts, everything=True))


def test_mutated_commands_are_refused_or_read() -> None:
    random_ = random.Random(22)  # noqa: S311  a seed that gives the same each time
    whole = store_command("1.2.3.4.5")
    for _ in range(20 * FUZZED):
        sent = bytearray(whole)
        for _ in range(random_.randint(1, 6)):
            sent[random_.randrange(len(sent))] = random_.randrange(256)
        try:
            read_command(bytes(sent))
        except PeerFault:
            continue
