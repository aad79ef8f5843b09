"""A DICOM peer of the tests' own, byte by byte: what a well-behaved one sends, to be sent in part or altered."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from gateway.receiving.pdu import HEAD, Kind
from gateway.receiving.request import APPLICATION_CONTEXT

DX = "1.2.840.10008.5.1.4.1.1.1.1"
VERIFICATION = "1.2.840.10008.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def associate_request(
    calling: str = "STORESCU",
    called: str = "WETREAD",
    contexts: Sequence[tuple[str, Sequence[str]]] = ((DX, (EXPLICIT,)),),
) -> bytes:
    items = [item(0x10, APPLICATION_CONTEXT.encode())]
    for place, (abstract, syntaxes) in enumerate(contexts):
        inner = item(0x30, abstract.encode()) + b"".join(item(0x40, syntax.encode()) for syntax in syntaxes)
        items.append(item(0x20, bytes((2 * place + 1, 0, 0, 0)) + inner))
    items.append(item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3")))
    titles = called.encode().ljust(16) + calling.encode().ljust(16)
    body = struct.pack(">H2x", 1) + titles + bytes(32) + b"".join(items)
    return HEAD.pack(Kind.ASSOCIATE_REQUEST, len(body)) + body


def element(number: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def store_command(instance: str, sop_class: str = DX, message: int = 1) -> bytes:
    body = (
        element(0x0002, sop_class.encode()) + element(0x0100, struct.pack("<H", 1))
        + element(0x0110, struct.pack("<H", message)) + element(0x0700, struct.pack("<H", 0))
        + element(0x0800, struct.pack("<H", 1)) + element(0x1000, instance.encode())
    )  # fmt: skip
    return element(0, struct.pack("<I", len(body))) + body


def data(value: bytes, *, command: bool = False, last: bool = True, context: int = 1) -> bytes:
    body = struct.pack(">IBB", len(value) + 2, context, int(command) | 2 * int(last)) + value
    return HEAD.pack(Kind.DATA, len(body)) + body


def release() -> bytes:
    return HEAD.pack(Kind.RELEASE_REQUEST, 4) + bytes(4)


def read_pdu(connection: socket.socket) -> tuple[int, bytes]:
    """Return the type and the rest of the next PDU; (0, b"") at the connection's end."""
    head = _exactly(connection, HEAD.size)
    if len(head) < HEAD.size:
        return 0, b""
    kind, length = HEAD.unpack(head)
    return kind, _exactly(connection, length)


def status_of(body: bytes) -> int:
    """Return the status in the P-DATA-TF of an answer."""
    at = body.index(struct.pack("<HHI", 0, 0x0900, 2))
    return int(struct.unpack_from("<H", body, at + 8)[0])


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        try:
            part = connection.recv(count - len(found))
        except ConnectionError:
            return found
        if not part:
            return found
        found += part
    return found
