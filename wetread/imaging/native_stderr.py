"""Captures what libjpeg, libpng and libtiff print about a bad file on standard error.

The first two print with C's stdio straight to file descriptor 2 and OpenCV offers no way to ask them not to. While
a picture is decoded, descriptor 2 is a file without a name; what the three wrote is returned and anything else
that another thread wrote in those milliseconds is passed on to the real standard error.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_STDERR = 2
_ONE_AT_A_TIME = threading.Lock()

_CODEC_LINE = re.compile(
    rb"libpng (warning|error): "
    # OpenCV's log, through which libtiff speaks.
    rb"|\[ *(FATAL|ERROR|WARN):\d+@"
    # All warnings of libjpeg-turbo, as its jerror.h words them.
    rb"|Corrupt JPEG data|Premature end of JPEG file|Inconsistent progression sequence|Invalid SOS parameters"
    rb"|Unknown Adobe color transform|Warning: unknown JFIF revision|Application transferred too many"
)
_LOG_PREFIX = re.compile(r"^\[ *[A-Z]+:\d+@[\d.]+\] (global )?\S+:\d+ ")
"""Level, thread, time and place in OpenCV's source: a message must be the same for the same file."""
_CONTINUATION = re.compile(rb"[>\s]|$")
"""OpenCV's log goes on in further lines: indented, after a '>', or blank."""


@contextmanager
def codec_messages() -> Iterator[list[str]]:
    """Yield a list that holds, after the block, the lines that codecs printed within it.

    One block runs at a time in a process. Where there is no standard error, or no file to catch it in, the
    block runs as it is and the list stays empty.
    """
    messages: list[str] = []
    with _ONE_AT_A_TIME, ExitStack() as stack:
        try:
            real = os.dup(_STDERR)
            stack.callback(os.close, real)
            caught = _empty_file()
            stack.callback(os.close, caught)
        except OSError:
            yield messages
            return
        os.dup2(caught, _STDERR)
        try:
            yield messages
        finally:
            os.dup2(real, _STDERR)
            messages += _sorted_out(caught)


def _empty_file() -> int:
    """Return a descriptor of a new file without a name, in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("codec-messages")
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def _sorted_out(caught: int) -> list[str]:
    """Return the codecs' lines in the file `caught`; write all others to standard error."""
    size = os.fstat(caught).st_size
    if size == 0:
        return []
    codec: list[str] = []
    continued = False
    for line in os.pread(caught, size, 0).splitlines(keepends=True):
        if _CODEC_LINE.match(line):
            codec.append(_LOG_PREFIX.sub("", line.decode("ascii", "replace").strip()))
            continued = True
        elif not (continued and _CONTINUATION.match(line)):
            os.write(_STDERR, line)
            continued = False
    return codec
