"""The folder that --output names: made before the work begins, filled at its end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from cli.output import STANDARD_OUTPUT, say
from schemas.errors import UsageError
from wetread.whole_file import AS_UMASK_SAYS, write_whole


class FolderPath(click.Path):
    """A folder to write to; standard output is not one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder's name; fail for a -."""
        if value == STANDARD_OUTPUT:
            self.fail("expected a folder, since several files are written, found -, standard output", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = FolderPath()


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
