"""The folder that --output names: made before the work begins, filled when it is done."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cli.output import say
from schemas.errors import UsageError
from wetread.whole_file import AS_UMASK_SAYS, write_whole


def made_folder(folder: str) -> str:
    """Make `folder` where it is not there yet and return it; raise UsageError when nothing can be written to it."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder}: expected a folder to write to, found that this user may not; choose another place")
    return folder


def write_files(folder: str, files: Mapping[str, bytes]) -> None:
    """Write `files`, name -> content, into `folder`, over older ones, and say so."""
    for name, data in files.items():
        write_whole(os.path.join(folder, name), data, mode=AS_UMASK_SAYS)
    say(f"{folder}: {', '.join(files)}")


def _unwritable(path: str, error: OSError) -> UsageError:
    return UsageError(f"{path}: expected to write here, found: {error.strerror}; choose another place")
