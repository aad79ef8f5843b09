"""A file that a long-running process touches as it goes round, so that a health check on its machine knows it lives.

The check must not ask the database: an outage there would have every worker restarted, which mends nothing. The file
lies in the temporary directory, in a folder of the user's own, which no other user can have made.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from schemas.errors import WetreadError


class SignFile:
    """The file of this process. kind: "worker" or "beat"."""

    def __init__(self, kind: str) -> None:
        self._path = _folder() / f"{kind}-{os.getpid()}"

    def touch(self) -> None:
        """Say that this process goes round; a temporary directory that cannot be written is the check's to find."""
        with suppress(OSError):
            self._path.touch()

    def remove(self) -> None:
        """Say that this process ends in order."""
        with suppress(OSError):
            self._path.unlink()


def silences(kind: str) -> dict[int, float]:
    """Return {pid: seconds since its last sign} of the processes of this kind that exist here."""
    import psutil

    found = {}
    for file in _folder().glob(f"{kind}-*"):
        pid = file.name.partition("-")[2]
        with suppress(OSError, psutil.Error, ValueError):
            signed_at = file.stat().st_mtime
            process = psutil.Process(int(pid))
            # A process that began after the sign has the same number by chance.
            if process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= signed_at + 1.0:
                found[int(pid)] = max(0.0, time.time() - signed_at)
    return found


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"wetread-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise WetreadError(
            f"expected to write signs of life in {folder}, found: {error.strerror}; set TMPDIR to a directory that "
            "can be written"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise WetreadError(f"expected {folder} to be ours alone, found another's; remove it, or set TMPDIR")
    return folder
