"""Writes a file whole or not at all: beside its place first, then renamed into it.

Every file that a command, a training or a model is kept in is written so.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from schemas.errors import UsageError, WetreadError

OWNER_ALONE = 0o600
"""The mode of what names paths, films or patients: readable by its maker alone."""

AS_UMASK_SAYS = 0o666
"""The mode of the rest."""

_OPEN_ALREADY = re.compile(rb"/(?:dev/fd|proc/self/fd)/([0-9]+)")
_STANDARD = {b"/dev/stdout": 1, b"/dev/stderr": 2}
_DEVICES = {os.makedev(1, 3), os.makedev(1, 7)}
"""/dev/null and /dev/full, on Linux."""


@contextmanager
def whole_file(
    path: str | bytes, *, mode: int = OWNER_ALONE, new: bool = False, beside: bytes | None = None
) -> Iterator[IO[bytes]]:
    """Give a file to write to; at the end it takes the place of `path`. After a fault, what was there stays.

    Where `path` is a link, what it leads to is replaced, and the link stays. A pipe, a terminal, /dev/null and
    /dev/stdout are written into, for what else could be meant.
    new: raises FileExistsError at the end where there is one by then. beside: where it is written first, over what a
    killed process left there; by default a name of its own.
    Raises UsageError where nothing can be written, or `path` is a folder, a disk or a socket; WetreadError when the
    disk is full.
    """
    asked = os.fsencode(path)
    if not new and (into := _stream(asked)) is not None:
        with _named_faults(asked, "what was written so far is there"), os.fdopen(into, "wb") as file:
            yield file
        return
    target = os.path.abspath(asked) if new else os.path.realpath(asked)
    folder, name = os.path.split(target)
    first = beside or os.path.join(folder, b".%b.%b.tmp" % (name[:200], secrets.token_hex(8).encode()))
    again = os.O_EXCL if beside is None else os.O_TRUNC
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | again
        file = os.fdopen(os.open(first, flags, mode), "wb")
    except OSError as error:
        raise _unwritable(asked, error) from error
    try:
        with _named_faults(asked, "what was there before stays"):
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(first, target, new=new)
    finally:
        with suppress(OSError):
            os.unlink(first)


def write_whole(
    path: str | bytes, data: bytes, *, mode: int = OWNER_ALONE, new: bool = False, beside: bytes | None = None
) -> None:
    """Write `data` as `whole_file` does."""
    with whole_file(path, mode=mode, new=new, beside=beside) as file:
        file.write(data)


def _stream(path: bytes) -> int | None:
    """Return what is to be written into, opened; None where a file is to be replaced or made."""
    if (number := _open_already(path)) is not None:
        try:
            return os.dup(number)
        except OSError as error:
            raise _unwritable(path, error) from error
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(path, error) from error
    if stat.S_ISREG(found.st_mode):
        return None
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"expected a file to write, found a folder: {os.fsdecode(path)}; name a file in it")
    if stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode):
        try:
            into = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise _unwritable(path, error) from error
        if stat.S_ISFIFO(found.st_mode) or found.st_rdev in _DEVICES or os.isatty(into):
            return into
        os.close(into)
    raise UsageError(
        f"expected a file to write, found a device or a socket: {os.fsdecode(path)}; nothing was written. Name a "
        "file, a pipe, or - for standard output"
    )


def _open_already(path: bytes) -> int | None:
    if path in _STANDARD:
        return _STANDARD[path]
    found = _OPEN_ALREADY.fullmatch(path)
    return None if found is None else int(found[1])


def _put_in_place(first: bytes, target: bytes, *, new: bool) -> None:
    if not new:
        os.replace(first, target)
        return
    try:
        os.link(first, target)  # never over another
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as a memory card's
        if os.path.lexists(target):
            raise FileExistsError(os.fsdecode(target)) from None
        os.rename(first, target)


@contextmanager
def _named_faults(path: bytes, left: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, BrokenPipeError):
        raise
    except OSError as error:
        raise WetreadError(
            f"expected to write {os.fsdecode(path)}, found: {error.strerror or error}; {left}"
        ) from error


def _unwritable(path: bytes, error: OSError) -> UsageError:
    return UsageError(f"expected to write {os.fsdecode(path)}, found: {error.strerror}; choose another place")
