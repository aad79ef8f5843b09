"""What a peer asks of us before it answers: a password or a token, from the environment or a file that is ours alone.

It is read when a peer is called, and kept nowhere: not in the database, in logs or on a command line.
"""

from __future__ import annotations

import base64
import os
import stat

from schemas.errors import UsageError
from wetread.store.received.peers import Calls

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LONGEST = 16 * 1024


def authorization(calls: Calls) -> str | None:
    """Return the header Authorization for a peer: of NAME:PASSWORD, or of a token; None where it asks for nothing.

    Raises UsageError where the variable or the file is not there, is empty, or can be read by others.
    """
    if calls.secret_variable is not None:
        secret = os.environ.get(calls.secret_variable, "").strip()
        if not secret:
            raise UsageError(
                f"expected NAME:PASSWORD or a token in the variable {calls.secret_variable}, found none; set it"
            )
    elif calls.secret_file is not None:
        secret = _from_file(calls.secret_file)
    else:
        return None
    if not secret.isprintable() or not secret.isascii():
        raise UsageError("expected NAME:PASSWORD or a token on one line of ASCII, found other characters")
    if ":" in secret:
        return "Basic " + base64.b64encode(secret.encode()).decode()
    return secret if secret.startswith("Bearer ") else f"Bearer {secret}"


def _from_file(path: str) -> str:
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(_LONGEST).decode("ascii", "replace").strip()
    except OSError as error:
        raise UsageError(f"expected NAME:PASSWORD or a token in {path}, found: {error.strerror}") from error
    if mode & _OTHERS:
        raise UsageError(f"expected a file that its owner alone can read, found that others can; chmod 600 {path}")
    if not secret:
        raise UsageError(f"expected NAME:PASSWORD or a token in {path}, found an empty file")
    return secret
