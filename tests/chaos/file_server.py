"""A file server that hangs: a folder is served through /dev/fuse, and its answers are kept back when a test says so.

Whoever reads there meanwhile hangs in the kernel, as on a dead NFS server: no signal ends it, not even SIGKILL.

    python -m tests.chaos.file_server SOURCE MOUNT HELD       HELD: a file; it holds "read" or "all" while that hangs
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import REPOSITORY, eventually

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 18, 25, 26
OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY, BATCH_FORGET = 27, 28, 29, 36, 38, 42
UNANSWERED = {FORGET, INTERRUPT, BATCH_FORGET}
DIRECT_IO = 1
MOST = 1 << 20
DETACH = 2


@dataclass
class FileServer:
    """A mounted folder. archive: where it is seen."""

    archive: Path
    held: Path

    def hang(self, what: str) -> None:
        """Answer no more: to "read", or to "all"."""
        part = self.held.with_suffix(".new")
        part.write_text(what)
        part.rename(self.held)

    def answer(self) -> None:
        """Answer again, those first that were kept waiting."""
        self.held.unlink(missing_ok=True)


@contextmanager
def file_server(source: Path, work: Path) -> Iterator[FileServer]:
    """Serve `source` until the block ends; skip the test where nothing may be mounted."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0:
        pytest.skip("a file system of one's own needs root and /dev/fuse")
    mount, held = work / "mounted", work / "held"
    mount.mkdir()
    command = [sys.executable, "-m", "tests.chaos.file_server", str(source), str(mount), str(held)]
    served = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: served.poll() is not None or os.path.ismount(mount), what="the mount")
        if served.poll() is not None:
            pytest.skip(f"nothing may be mounted here: {served.communicate()[1]}")
        yield FileServer(mount, held)
    finally:
        served.kill()  # what hangs is let go with an error
        served.communicate()
        ctypes.CDLL(None).umount2(os.fsencode(mount), DETACH)


class _Folder:
    """Answers the kernel's questions about a folder."""

    def __init__(self, source: Path) -> None:
        self.paths = {1: source}
        self.ids = {source: 1}

    def answer(self, opcode: int, node: int, body: bytes) -> bytes:
        path = self.paths.get(node)
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, MOST, 0, 64, 48, MOST, 1, MOST // 4096, 0, 0)
        if path is None or opcode in (RELEASE, RELEASEDIR, FLUSH, DESTROY):
            return b""
        if opcode == LOOKUP:
            inner = path / os.fsdecode(body.rstrip(b"\0"))
            attributes = self.attributes(inner)
            return struct.pack("<QQQQII", self.number(inner), 0, 0, 0, 0, 0) + attributes
        if opcode == GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self.attributes(path)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, DIRECT_IO if opcode == OPEN else 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        if opcode == READDIR:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.entries(path, offset, size)
        raise OSError(errno.ENOSYS, "not served")

    def number(self, path: Path) -> int:
        known = self.ids.setdefault(path, len(self.ids) + 1)
        self.paths[known] = path
        return known

    def attributes(self, path: Path) -> bytes:
        found = path.lstat()
        times = (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
        seconds, rest = [at // 10**9 for at in times], [at % 10**9 for at in times]
        return struct.pack(
            "<6Q10I", self.number(path), found.st_size, found.st_blocks, *seconds, *rest, found.st_mode, found.st_nlink,
            0, 0, 0, 4096, 0,
        )  # fmt: skip

    def entries(self, path: Path, offset: int, size: int) -> bytes:
        said = b""
        for place, inner in list(enumerate(sorted(path.iterdir()), 1))[offset:]:
            name = os.fsencode(inner.name)
            entry = struct.pack("<QQII", self.number(inner), place, len(name), stat.S_IFMT(inner.lstat().st_mode) >> 12)
            entry += name + b"\0" * (-len(name) % 8)
            if len(said) + len(entry) > size:
                break
            said += entry
        return said


def serve(source: Path, mount: Path, held: Path) -> None:
    """Mount `source` at `mount` and answer until the end."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,max_read={MOST}".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"wetread-test", os.fsencode(mount), b"fuse", 0, options) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    folder, kept = _Folder(source), list[bytes]()
    while True:
        ready, _, _ = select.select([device], [], [], 0.05)
        what = held.read_text() if held.exists() else ""
        asked = [os.read(device, MOST + 4096)] if ready else []
        if not what:
            asked, kept = kept + asked, []
        for request in asked:
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode in UNANSWERED:
                continue
            if what == "all" or (what == "read" and opcode == READ):
                kept.append(request)
                continue
            try:
                said, fault = folder.answer(opcode, node, request[40:]), 0
            except OSError as error:
                said, fault = b"", -(error.errno or errno.EIO)
            with suppress(FileNotFoundError):  # whoever asked is gone
                os.write(device, struct.pack("<IiQ", 16 + len(said), fault, unique) + said)


if __name__ == "__main__":
    serve(*map(Path, sys.argv[1:]))
