"""The PDUs of DICOM's upper layer that a receiver sends, and the heads of those that it reads.

Source: DICOM PS3.8, chapter 9.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from schemas.errors import PeerFault

HEAD = struct.Struct(">BxI")
"""A PDU's type and the length of what follows."""

_PDV = struct.Struct(">IBB")
_COMMAND, _LAST = 1, 2


class Kind(IntEnum):
    """The types of PDUs."""

    ASSOCIATE_REQUEST = 1
    ASSOCIATE_ACCEPT = 2
    ASSOCIATE_REJECT = 3
    DATA = 4
    RELEASE_REQUEST = 5
    RELEASE_REPLY = 6
    ABORT = 7


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an association is refused: the result, source and reason of an A-ASSOCIATE-RJ, and a word for logs."""

    result: int
    source: int
    reason: int
    word: str


PERMANENT, TRANSIENT = 1, 2
CALLED_UNKNOWN = Rejection(PERMANENT, 1, 7, "called_title")
CALLING_UNKNOWN = Rejection(PERMANENT, 1, 3, "calling_title_or_address")
OTHER_CONTEXT = Rejection(PERMANENT, 1, 2, "application_context")
OTHER_PROTOCOL = Rejection(PERMANENT, 2, 2, "protocol_version")
TOO_MANY = Rejection(TRANSIENT, 3, 2, "too_many_associations")
NOT_NOW = Rejection(TRANSIENT, 3, 1, "disk_or_database")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a message: of its command or of its data set, the last one or not."""

    context: int
    is_command: bool
    is_last: bool
    body: memoryview


def fragments(body: memoryview) -> Iterator[Fragment]:
    """Yield what a P-DATA-TF holds; raise PeerFault where its lengths do not fit."""
    at = 0
    while at < len(body):
        if at + _PDV.size > len(body):
            raise PeerFault("expected a presentation data value, found that its PDU ends within its head")
        length, context, control = _PDV.unpack_from(body, at)
        end = at + 4 + length
        if length < 2 or end > len(body):
            raise PeerFault("expected a presentation data value within its PDU, found one of another length")
        yield Fragment(context, bool(control & _COMMAND), bool(control & _LAST), body[at + _PDV.size : end])
        at = end


def data_pdu(context: int, command: bytes) -> bytes:
    """Return the P-DATA-TF of a whole command."""
    value = _PDV.pack(len(command) + 2, context, _COMMAND | _LAST) + command
    return HEAD.pack(Kind.DATA, len(value)) + value


def reject_pdu(why: Rejection) -> bytes:
    """Return the A-ASSOCIATE-RJ for `why`."""
    return HEAD.pack(Kind.ASSOCIATE_REJECT, 4) + bytes((0, why.result, why.source, why.reason))


def release_reply_pdu() -> bytes:
    """Return the A-RELEASE-RP."""
    return HEAD.pack(Kind.RELEASE_REPLY, 4) + bytes(4)


def abort_pdu() -> bytes:
    """Return the A-ABORT of the provider, which names no reason."""
    return HEAD.pack(Kind.ABORT, 4) + bytes((0, 0, 2, 0))
