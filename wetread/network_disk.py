"""Tells whether a path lies on a network file system, where inotify does not see other machines' writes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

NETWORK_FILE_SYSTEMS = frozenset({
    "9p", "afs", "afp", "beegfs", "ceph", "cephfs", "cifs", "coda", "davfs", "davfs2", "gcsfuse", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "rclone", "s3fs", "smb3", "smbfs", "sshfs", "virtiofs",
})  # fmt: skip
"""Their kinds, as /proc/mounts names them; those of FUSE without its prefix."""

Mounts = Sequence[tuple[bytes, str]]
"""(where it is mounted, its kind), in the order in which they were mounted."""


def network_file_system(path: str | bytes, mounts: Mounts | None = None) -> str | None:
    """Return the kind of the network's file system that `path`, absolute and without links, lies on; else None.

    mounts: this machine's, where none are given; where they cannot be read, nothing lies on a network.
    """
    kind = file_system(os.fsencode(path), mounted() if mounts is None else mounts)
    return kind if kind.removeprefix("fuse.") in NETWORK_FILE_SYSTEMS else None


def file_system(path: bytes, mounts: Mounts) -> str:
    """Return the kind of the file system that `path` lies on; "" if none does."""
    over = [(at, kind) for at, kind in mounts if path == at or path.startswith(at.rstrip(b"/") + b"/")]
    # Of two at the same place, the later covers the earlier.
    return max(enumerate(over), key=lambda one: (len(one[1][0]), one[0]))[1][1] if over else ""


def mounted() -> Mounts:
    """Return what is mounted here; nothing on a kernel without /proc."""
    with suppress(OSError), open("/proc/mounts", "rb") as lines:
        fields = [line.split(b" ") for line in lines]
        return [(_unescaped(point), kind.decode("ascii", "replace")) for _, point, kind, *_ in fields]
    return []


def _unescaped(point: bytes) -> bytes:
    """Return a mount's path: the kernel writes spaces, tabs, line ends and backslashes as octal numbers."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), point)
