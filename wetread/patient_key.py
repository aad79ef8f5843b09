"""The key under which patients' ids are hashed: from the settings, or a random one in a file beside the database.

Hashes can be compared only under one key. A database that is not under WETREAD_HOME may be shared by machines, each
with a home of its own: then the key comes from WETREAD_PATIENT_KEY, or there is none, and no hash is stored.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from schemas.errors import ServiceUnavailable, UsageError
from wetread.settings import Settings
from wetread.whole_file import write_whole

_BYTES = 32


def patient_key(settings: Settings) -> bytes | None:
    """Return the key, having made its file where it is needed first; None where this machine must not make one.

    Raises ServiceUnavailable when the file cannot be written or read, UsageError when it holds no key.
    """
    stated = settings.patient_key.get_secret_value()
    if stated:
        return stated.encode()
    if settings.database_url.get_secret_value():
        return None
    try:
        return _from_file(settings.patient_key_file)
    except OSError as error:
        raise ServiceUnavailable(
            f"expected to keep the key for patients' ids under WETREAD_HOME, found: {error.strerror}; "
            "correct that, or set WETREAD_PATIENT_KEY"
        ) from error


def _from_file(file: Path) -> bytes:
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        _make(file)
        key = file.read_bytes()
    if len(key) != _BYTES:
        raise UsageError(
            f"expected a key of {_BYTES} bytes in {file.name} under WETREAD_HOME, found {len(key)}; restore it from a "
            "backup, or delete it for a new key, under which no hash equals an older one"
        )
    return key


def _make(file: Path) -> None:
    """Write a new key whole, for its owner alone; where another process was first, its key stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        write_whole(str(file), secrets.token_bytes(_BYTES), new=True)
