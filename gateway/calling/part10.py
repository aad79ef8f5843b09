"""A DICOM file that comes in an answer of DICOMweb: taken out of its multipart body, and parted from its head.

A body that has no end of its own, or that breaks off, is never taken for a whole one. Source: DICOM PS3.18, chapter
8.7; RFC 2046, chapter 5.1; DICOM PS3.10, chapter 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.calling.patience import NoAnswer
from schemas.errors import Rejected
from wetread.imaging.dicom.elements import Elements, Encoding

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_HEAD_BYTES = 64 * 1024
"""Of a part's own header, and of a file's: both have some hundred bytes."""
_PREAMBLE = 132
_CLASS, _INSTANCE, _SYNTAX = 0x00020002, 0x00020003, 0x00020010


@dataclass(frozen=True, slots=True)
class FileHead:
    """What a file's meta information says, and how many bytes of the file it is."""

    sop_class: str
    instance: str
    syntax: str
    size: int


def file_parts(content_type: str, body: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the first part of a multipart body, or the whole of another; raise NoAnswer where it is not whole."""
    if not content_type.lower().lstrip().startswith("multipart/"):
        yield from body
        return
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise NoAnswer("expected a multipart answer with a boundary, found none")
    mark = b"--" + (found[1] or found[2]).encode("ascii", "replace")
    parts = iter(body)
    buffer = _after(b"", parts, mark)
    buffer = _after(buffer, parts, b"\r\n\r\n")
    end = b"\r\n" + mark
    while (at := buffer.find(end)) < 0:
        ready = len(buffer) - len(end)
        if ready > 0:
            yield buffer[:ready]
            buffer = buffer[ready:]
        buffer += _next(parts)
    yield buffer[:at]
    for _ in parts:  # to its end: the connection is used again
        pass


def split_head(parts: Iterable[bytes]) -> tuple[FileHead, Iterator[bytes]]:
    """Return what a file's head says, and the parts of its data set; raise NoAnswer where it is no such file."""
    rest = iter(parts)
    beginning = b""
    while len(beginning) < _HEAD_BYTES and (part := next(rest, b"")):
        beginning += part
    if beginning[_PREAMBLE - 4 : _PREAMBLE] != b"DICM":
        raise NoAnswer("expected a DICOM file, found another")
    elements = Elements(beginning, _PREAMBLE, Encoding())
    try:
        stated = elements.kept({_CLASS, _INSTANCE, _SYNTAX}, group=2)
        sop_class, instance, syntax = (
            beginning[stated[tag].value : stated[tag].end].decode("ascii", "replace").strip("\0 ")
            for tag in (_CLASS, _INSTANCE, _SYNTAX)
        )
    except (Rejected, KeyError) as error:
        raise NoAnswer("expected a DICOM file with meta information, found another") from error
    head = FileHead(sop_class, instance, syntax, elements.position)

    def data_set() -> Iterator[bytes]:
        yield beginning[head.size :]
        yield from rest

    return head, data_set()


def _after(buffer: bytes, parts: Iterator[bytes], mark: bytes) -> bytes:
    """Return what follows `mark`."""
    while (at := buffer.find(mark)) < 0:
        if len(buffer) > _HEAD_BYTES:
            raise NoAnswer("expected a part of a multipart answer, found none")
        buffer += _next(parts)
    return buffer[at + len(mark) :]


def _next(parts: Iterator[bytes]) -> bytes:
    part = next(parts, b"")
    if not part:
        raise NoAnswer("expected a multipart answer to its end, found that it breaks off")
    return part
