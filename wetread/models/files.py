"""Reads one file of an artefact whole and once, or writes it so that it survives a power cut."""

from __future__ import annotations

import errno
import os
import stat

from schemas.errors import ArtefactError


def read_file(directory: str | os.PathLike[str], name: str, limit: int) -> bytes:
    """Return the bytes of the regular file `name` in `directory`, at most `limit` of them.

    What is hashed and what is parsed must be the same bytes, so a file is opened and read once. A link is
    refused, and a FIFO does not block. Raises ArtefactError when the file is missing, not a plain file, or
    larger than `limit`.
    """
    where = f"{name} in {os.fspath(directory)}"
    try:
        descriptor = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        found = "a link" if error.errno == errno.ELOOP else os.strerror(error.errno or 0).lower()
        raise ArtefactError(f"expected a model's {where}, found {found}; name a folder that holds a model") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ArtefactError(f"expected a model's {where}, found no plain file; fetch the model again")
        if status.st_size > limit:
            raise ArtefactError(f"{where}: expected at most {limit:,} bytes, found {status.st_size:,}")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(descriptor)


def write_file(path: str, data: bytes) -> None:
    """Write a new file and wait until it is on the disk; raise FileExistsError when there is one."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
