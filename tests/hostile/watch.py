"""Whether anybody opened a file: the kernel is asked, so that every process counts."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_ACCESSED, _OPENED = 0x1, 0x20
_NOT_BLOCKING = os.O_NONBLOCK | os.O_CLOEXEC
_EVENT = struct.Struct("iIII")


class Watch:
    """Paths whose opening is noted, by inotify; links among them are not followed."""

    def __init__(self, descriptor: int, paths: dict[int, bytes]) -> None:
        self._descriptor = descriptor
        self._paths = paths

    def opened(self) -> set[bytes]:
        """Return the watched paths that somebody opened, or, of directories, in which somebody opened something."""
        found: set[bytes] = set()
        while True:
            try:
                events = os.read(self._descriptor, 65536)
            except BlockingIOError:
                return found
            position = 0
            while position < len(events):
                number, _, _, length = _EVENT.unpack_from(events, position)
                found.add(self._paths[number])
                position += _EVENT.size + length


@contextmanager
def watching(paths: Iterable[bytes]) -> Iterator[Watch]:
    """Watch `paths`, which must exist."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(_NOT_BLOCKING)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    try:
        watched: dict[int, bytes] = {}
        for path in paths:
            number = libc.inotify_add_watch(descriptor, path, _OPENED | _ACCESSED)
            if number < 0:
                raise OSError(ctypes.get_errno(), "inotify", path)
            watched[number] = path
        yield Watch(descriptor, watched)
    finally:
        os.close(descriptor)
