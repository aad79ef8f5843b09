"""Makes standard input, output and error usable, even where the caller has closed them.

A descriptor that is closed is held by one that refuses: else the next file that is opened, a database, has its number,
and what is printed lands there. What a terminal's or a file's encoding cannot write is escaped as JSON escapes it, so
that nothing ends in an exception and JSON stays JSON.
"""

from __future__ import annotations

import codecs
import fcntl
import io
import os
import sys
from contextlib import suppress

ESCAPES = "wetread-escapes"

STDIN, STDOUT, STDERR = 0, 1, 2


def prepare_streams() -> None:
    """Make the three streams safe to use; called before anything is printed or opened."""
    codecs.register_error(ESCAPES, _escape)
    for descriptor in (STDIN, STDOUT, STDERR):
        _hold(descriptor)
    if sys.stdin is None:
        sys.stdin = open(STDIN, closefd=False)  # noqa: SIM115 - it lives as long as the process
    if sys.stdout is None:
        sys.stdout = open(STDOUT, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - the same; nobody is to be told anything
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPES)


def output_is_closed() -> bool:
    """Return whether standard output was closed by the caller, and is held by a descriptor that refuses writes."""
    return fcntl.fcntl(STDOUT, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def discard_output() -> None:
    """Let what standard output still holds, and what comes, go nowhere: its reader or its disk is gone."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)
    with suppress(OSError, ValueError):
        sys.stdout.flush()


def _hold(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        # The lowest free number is given, and those below are held. Only reading is allowed there: a write is refused
        # as one on a closed descriptor is.
        os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end
