"""Finds other paths of a directory: file systems, or parts of them, that are mounted in several places."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MOUNT_TABLE = "/proc/self/mountinfo"
"""Linux's. A system without it has no bind mounts that we could tell."""

_ESCAPED = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted directory. device: of the kernel's; shown: which part of the file system is seen at `point`."""

    device: bytes
    shown: bytes
    point: bytes


def mount_table(file: str = MOUNT_TABLE) -> list[Mount]:
    """Return what is mounted on this machine, as this process sees it; nothing where the system does not say."""
    try:
        with open(file, "rb") as table:
            lines = [line.split(b" ") for line in table]
    except OSError:
        return []
    return [Mount(line[2], _plain(line[3]), _plain(line[4])) for line in lines if len(line) > 4]


def other_names(path: bytes, mounts: Sequence[Mount]) -> Iterator[bytes]:
    """Yield the names that `path` has by the table of mounts, itself left out. No file system is asked.

    Another mount may hide what the table says: compare with `is_same_directory` before believing it.
    """
    covering = [mount for mount in mounts if below(path, mount.point) is not None]
    if not covering:
        return
    mine = max(enumerate(covering), key=lambda entry: (len(entry[1].point), entry[0]))[1]
    within = os.path.join(mine.shown, below(path, mine.point) or b"").rstrip(b"/") or b"/"
    for mount in mounts:
        if mount.device == mine.device and (rest := below(within, mount.shown)) is not None:
            name = os.path.join(mount.point, rest).rstrip(b"/") or b"/"
            if name != path:
                yield name


def below(path: bytes, top: bytes) -> bytes | None:
    """Return `path` relative to `top`: "" where they are equal, "2024/" where it is inside, None elsewhere."""
    if path == top:
        return b""
    inside = top.rstrip(b"/") + b"/"
    return path[len(inside) :].rstrip(b"/") + b"/" if path.startswith(inside) else None


def is_same_directory(one: bytes, other: bytes) -> bool | None:
    """Return whether two names are of one directory, by device and inode; None where one of them is not there."""
    try:
        return os.path.samestat(os.stat(one), os.stat(other))
    except OSError:
        return None


def _plain(field: bytes) -> bytes:
    """Return a field of the table without its escapes: a space is written as a backslash and 040."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), field)
