"""What a peer asks for when it opens an association, and the answer.

Source: DICOM PS3.8, chapter 9.3.2 and 9.3.3; PS3.7, annex D.3.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.receiving.limits import PDU_BYTES
from gateway.receiving.pdu import HEAD, Kind
from schemas.errors import PeerFault

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
IMPLEMENTATION_UID = "2.25.226379171466423137129838446923347046117"
"""Ours: a UUID as PS3.5, annex B.2 writes it."""
IMPLEMENTATION_NAME = b"WETREAD"

_FIXED = struct.Struct(">H2x16s16s32x")
_ITEM = struct.Struct(">BxH")
_APPLICATION, _CONTEXT, _ACCEPTED, _USER = 0x10, 0x20, 0x21, 0x50
_ABSTRACT, _TRANSFER = 0x30, 0x40
_MAXIMUM, _CLASS, _VERSION = 0x51, 0x52, 0x55
_UID = re.compile(r"[0-9.]{1,64}")
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")

REFUSED_ABSTRACT, REFUSED_TRANSFER = 3, 4
"""Results of a presentation context: its SOP class, or each of its transfer syntaxes, is not supported."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A presentation context: a SOP class, and the transfer syntaxes it may come in, in the peer's order.

    "", and none, where what is stated are no unique identifiers: such a context is refused, and no other.
    """

    abstract: str
    transfer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """An A-ASSOCIATE-RQ. contexts: by their odd numbers. called, calling: titles without the spaces around them."""

    called: str
    calling: str
    version: int
    application: str
    contexts: Mapping[int, Proposed]
    called_field: bytes
    calling_field: bytes


def read_request(body: bytes) -> Request:
    """Parse what follows the head of an A-ASSOCIATE-RQ; raise PeerFault where it is none."""
    if len(body) < _FIXED.size:
        raise PeerFault("expected an A-ASSOCIATE-RQ, found one that ends within its fixed fields")
    version, called, calling = _FIXED.unpack_from(body)
    application, contexts = "", dict[int, Proposed]()
    for kind, value in _items(body, _FIXED.size):
        if kind == _APPLICATION:
            application = _uid(value)
        elif kind == _CONTEXT:
            if len(value) < 4:
                raise PeerFault("expected a presentation context, found one that ends within its head")
            number = value[0]
            if number % 2 == 0 or number in contexts:
                raise PeerFault("expected presentation contexts of odd numbers, each once, found others")
            contexts[number] = _proposed(value)
    return Request(_title(called), _title(calling), version, application, contexts, called, calling)


def accept_pdu(request: Request, results: Mapping[int, str | int]) -> bytes:
    """Return the A-ASSOCIATE-AC. results: for each context its transfer syntax, or why it is refused."""
    items = [_item(_APPLICATION, APPLICATION_CONTEXT.encode())]
    for number, result in results.items():
        syntax, code = (result, 0) if isinstance(result, str) else ("", result)
        items.append(_item(_ACCEPTED, bytes((number, 0, code, 0)) + _item(_TRANSFER, syntax.encode())))
    user = (
        _item(_MAXIMUM, struct.pack(">I", PDU_BYTES))
        + _item(_CLASS, IMPLEMENTATION_UID.encode())
        + _item(_VERSION, IMPLEMENTATION_NAME)
    )
    items.append(_item(_USER, user))
    body = _FIXED.pack(1, request.called_field, request.calling_field) + b"".join(items)
    return HEAD.pack(Kind.ASSOCIATE_ACCEPT, len(body)) + body


def _items(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(data):
        if at + _ITEM.size > len(data):
            raise PeerFault("expected an item, found that its PDU ends within its head")
        kind, length = _ITEM.unpack_from(data, at)
        at += _ITEM.size
        if at + length > len(data):
            raise PeerFault("expected an item within its PDU, found one that is longer")
        yield kind, data[at : at + length]
        at += length


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _proposed(value: bytes) -> Proposed:
    abstract, transfer = "", []
    for kind, inner in _items(value, 4):
        if kind == _ABSTRACT:
            abstract = _uid(inner)
        elif kind == _TRANSFER:
            transfer.append(_uid(inner))
    return Proposed(abstract, tuple(filter(None, transfer)))


def _uid(value: bytes) -> str:
    """Return a unique identifier, or "" where the bytes are not a valid one."""
    text = value.decode("ascii", "replace").strip("\0 ")
    return text if _UID.fullmatch(text) else ""


def _title(field: bytes) -> str:
    text = field.decode("ascii", "replace").strip("\0 ")
    if not _TITLE.fullmatch(text):
        raise PeerFault("expected an application entity's title, found something else")
    return text
