"""DIMSE commands: what a peer asks, and what it is answered. They are written in Implicit VR Little Endian.

Source: DICOM PS3.7, chapters 9.3 and annex E; the statuses of C-STORE: PS3.4, annex B.2.3.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum

from schemas.errors import PeerFault

_ELEMENT = struct.Struct("<HHI")
_LENGTH, _CLASS, _FIELD, _MESSAGE, _ANSWERED = 0x0000, 0x0002, 0x0100, 0x0110, 0x0120
_DATA_SET, _STATUS, _COMMENT, _INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000
_NO_DATA_SET = 0x0101
_IS_ANSWER = 0x8000
_UID = re.compile(r"[0-9.]{1,64}")

C_STORE, C_ECHO, C_CANCEL = 0x0001, 0x0030, 0x0FFF


class Status(IntEnum):
    """What a message is answered by."""

    SUCCESS = 0x0000
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    INVALID_INSTANCE = 0x0117
    UNKNOWN_OPERATION = 0x0211
    OUT_OF_RESOURCES = 0xA700
    DOES_NOT_MATCH = 0xA900
    CANNOT_UNDERSTAND = 0xC000


@dataclass(frozen=True, slots=True)
class Command:
    """A request. field: which; has_data: a data set follows.

    sop_class, instance: as they are stated, which may be no unique identifier; "" where none is.
    """

    field: int
    message: int
    has_data: bool
    sop_class: str
    instance: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and a comment for whoever looks at the sender: never a name or an identifier."""

    status: Status
    comment: str = ""


SUCCESS = Answer(Status.SUCCESS)


def read_command(data: bytes) -> Command:
    """Parse a command set; raise PeerFault where it is none."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if at + _ELEMENT.size > len(data):
            raise PeerFault("expected a command's element, found that it ends within its head")
        group, number, length = _ELEMENT.unpack_from(data, at)
        at += _ELEMENT.size
        if group != 0 or at + length > len(data):
            raise PeerFault("expected a command's element, found another, or one that is longer than the command")
        found[number] = data[at : at + length]
        at += length
    return Command(
        field=_number(found, _FIELD),
        message=_number(found, _MESSAGE, 0),
        has_data=_number(found, _DATA_SET, _NO_DATA_SET) != _NO_DATA_SET,
        sop_class=_text(found, _CLASS),
        instance=_text(found, _INSTANCE),
    )


def is_uid(text: str) -> bool:
    """Return whether `text` has the form of a unique identifier."""
    return _UID.fullmatch(text) is not None


def answer_command(to: Command, answer: Answer) -> bytes:
    """Return the command set that answers `to`."""
    elements = [
        (_CLASS, _padded(_uid_alone(to.sop_class), "\0")),
        (_FIELD, _short((to.field | _IS_ANSWER) & 0xFFFF)),
        (_ANSWERED, _short(to.message)),
        (_DATA_SET, _short(_NO_DATA_SET)),
        (_STATUS, _short(answer.status)),
        (_COMMENT, _padded(answer.comment[:64], " ")),
        (_INSTANCE, _padded(_uid_alone(to.instance), "\0")),
    ]
    body = b"".join(_ELEMENT.pack(0, number, len(value)) + value for number, value in elements if value)
    return _ELEMENT.pack(0, _LENGTH, 4) + struct.pack("<I", len(body)) + body


def _number(found: dict[int, bytes], number: int, otherwise: int | None = None) -> int:
    value = found.get(number)
    if value is None and otherwise is not None:
        return otherwise
    if value is None or len(value) != 2:
        raise PeerFault("expected a command's number of two bytes, found none")
    return int.from_bytes(value, "little")


def _text(found: dict[int, bytes], number: int) -> str:
    return found.get(number, b"").decode("ascii", "replace").strip("\0 ")


def _uid_alone(text: str) -> str:
    return text if is_uid(text) else ""


def _short(number: int) -> bytes:
    return struct.pack("<H", number)


def _padded(text: str, pad: str) -> bytes:
    return (text + pad * (len(text) % 2)).encode("ascii", "replace")
