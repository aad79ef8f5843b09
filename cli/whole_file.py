"""A file that is written whole or not at all: beside its place first, then renamed to it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from schemas.errors import UsageError, WetreadError


@contextmanager
def whole_file(path: str) -> Iterator[IO[bytes]]:
    """Give a file to write to; at the end it takes the place of `path`. After a fault, what was there stays.

    It is readable by its maker alone, since what is written so names paths, which can hold patients' names. Raises
    UsageError where nothing can be written, WetreadError when the disk is full.
    """
    target = os.path.abspath(path)
    if os.path.isdir(target):
        raise UsageError(f"expected a file to write, found a folder: {path}; name a file in it")
    beside = os.path.join(os.path.dirname(target), f".{os.path.basename(target)[:200]}.{secrets.token_hex(8)}.tmp")
    try:
        file = os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        raise UsageError(f"expected to write {path}, found: {error.strerror}; choose another place") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except OSError as error:
        raise WetreadError(f"expected to write {path}, found: {error.strerror}; what was there before stays") from error
    finally:
        with suppress(OSError):
            os.unlink(beside)
