"""Turns an unexpected exception into one sentence and an exit code, never a traceback.

With --verbose, or where WETREAD_LOG_LEVEL is info or debug, the traceback stands above the sentence.
"""

from __future__ import annotations

import errno
import os
import traceback

from cli.output import say
from schemas.errors import EXIT_FAILED

LEVEL = "WETREAD_LOG_LEVEL"


class OutputFailed(Exception):
    """Standard output could not be written."""

    def __init__(self, error: OSError) -> None:
        found = "it closed" if error.errno == errno.EBADF else f"{error.strerror}; what was printed is not whole"
        super().__init__(f"expected to write to standard output, found {found}")


def say_fault(error: BaseException) -> int:
    """Print an error's message on stderr; return the exit code."""
    known = _of_the_machine(error)
    if known is None or _wants_details():
        _say_details(error)
    say(f"wetread: {known or _ours(error)}")
    return EXIT_FAILED


def _of_the_machine(error: BaseException) -> str | None:
    """Return what to say of a fault that the machine caused; None for a fault of the program."""
    for one in _causes(error):
        if isinstance(one, OutputFailed):
            return str(one)
        if isinstance(one, MemoryError):
            return "expected memory to go on, found none left; give it more, or less to do at once"
        if isinstance(one, OSError) and one.errno in (errno.EMFILE, errno.ENFILE):
            return too_many_files()
        if "Too many open files" in str(one):
            return too_many_files()
        if isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            return f"expected to write the output or a file, found: {one.strerror}; make space there, then run it again"
    return None


def too_many_files() -> str:
    """Return what to say where no more files may be opened."""
    import resource

    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    most_said = "" if most == resource.RLIM_INFINITY else f", at most {most} here"
    return (
        f"expected to open a file or a connection, found that {limit} are open, which is this process's limit; raise "
        f"it: ulimit -n 1024{most_said}"
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _ours(error: BaseException) -> str:
    again = "" if _wants_details() else " by the same command with `wetread --verbose`"
    return (
        f"a fault of wetread: {type(error).__name__}. Nothing that was settled is lost. Please report it with the "
        f"traceback{again}; it may name your files"
    )


def _wants_details() -> bool:
    return os.environ.get(LEVEL, "").lower() in ("info", "debug")


def _say_details(error: BaseException) -> None:
    if _wants_details():
        say("".join(traceback.format_exception(error)).rstrip())
