"""What an earlier process left in the spool: parts are removed, whole films without a row are adopted.

A receiver that is killed between a film's rename and its row promised nothing, and its sender sends again; what it has
is not lost all the same. A database that was restored, or that a disk did not sync, lacks films which were answered by
0x0000: they lie here, and are recorded anew. Their files' times play no part: a clock can have been set back.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator
from itertools import islice

import structlog

from gateway.receiving.spool import Spool, named_digest
from gateway.receiving.whole_object import looked_at
from schemas.errors import Rejected
from wetread.imaging.dicom.elements import Elements, Encoding
from wetread.store.core.database import Database
from wetread.store.received.received_films import ReceivedFilm, Sender, note_received, recorded_digests

SLICE = 500
_HEAD_BYTES = 132
_CLASS, _INSTANCE, _SYNTAX = 0x00020002, 0x00020003, 0x00020010


def sweep(database: Database, spool: Spool, root_id: int) -> int:
    """Adopt films that have no row, and that nobody is about to record; return how many.

    What is no film as its name and its head say stays where it is, and is said in the log. Raises ServiceUnavailable
    where the database is away: what is left is swept another time.
    """
    adopted = 0
    for listed in _slices(spool.listed()):
        # Asked before the database: who is recorded by now has a row there, and all others are among these.
        unsettled = spool.unsettled()
        paths = [path for path in listed if path not in unsettled]
        with database.reading() as session:
            known = recorded_digests(session, root_id, [named_digest(path) for path in paths])
        lost = [film for path in paths if named_digest(path) not in known and (film := _looked_at(spool, path))]
        if lost:
            with database.writing() as session:
                note_received(session, root_id, lost)
            adopted += len(lost)
    if adopted:
        structlog.get_logger().warning("films that lay in the spool without a row were recorded", films=adopted)
    return adopted


def _slices(paths: Iterable[bytes]) -> Iterator[list[bytes]]:
    paths = iter(paths)
    while found := list(islice(paths, SLICE)):
        yield found


def _looked_at(spool: Spool, path: bytes) -> ReceivedFilm | None:
    """Return what the film at `path` says of itself; None where it is not whole, or not ours."""
    try:
        descriptor = os.open(os.path.join(spool.films, path), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
            digest = hashlib.sha256(data).hexdigest()
            if digest != named_digest(path):
                raise ValueError("other bytes than its name says")
            head = Elements(data, _HEAD_BYTES, Encoding())  # type: ignore[arg-type]  # it only slices and unpacks
            stated = head.kept({_CLASS, _INSTANCE, _SYNTAX}, group=2)
            sop_class, instance, syntax = (
                data[stated[tag].value : stated[tag].end].decode("ascii").strip("\0 ")
                for tag in (_CLASS, _INSTANCE, _SYNTAX)
            )
        looked_at(descriptor, head.position, syntax)
        return ReceivedFilm(instance, sop_class, syntax, digest, found.st_size, path, found.st_mtime_ns, Sender())
    except (Rejected, KeyError, ValueError, OSError) as error:
        structlog.get_logger().error(
            "a file in the spool is no film that was received whole, and is left there",
            file=named_digest(path), why=type(error).__name__,
        )  # fmt: skip
        return None
    finally:
        os.close(descriptor)
