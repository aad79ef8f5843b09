"""Resuming after a kill: files replaced as a whole, and a check that the settings are the same as before."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from schemas.errors import UsageError
from wetread.path_text import path_text
from wetread.whole_file import AS_UMASK_SAYS, write_whole

UNFINISHED = b".part"
"""The suffix of a file that is being written."""

LONGEST_SHOWN = 24
"""How many characters of a setting's value a message shows; digests and lists are longer."""


def as_json(setting: Mapping[str, Any]) -> dict[str, Any]:
    """Return `setting` as it comes back from a file: tuples as lists."""
    return dict(json.loads(json.dumps(setting)))


def require_same(path: bytes, what: str, kept: Mapping[str, Any], setting: Mapping[str, Any]) -> None:
    """Raise UsageError, naming the difference, unless the file's setting equals the present one.

    what: the file's contents, such as "trainings"; kept, setting: as JSON has them.
    """
    names = [name for name in {**setting, **kept} if kept.get(name) != setting.get(name)]
    if names:
        differences = ", ".join(_difference(name, kept.get(name), setting.get(name)) for name in names)
        raise UsageError(
            f"{path_text(path)} holds {what} with other settings: {differences}; name another folder, "
            "or remove this one"
        )


def _difference(name: str, kept: Any, now: Any) -> str:
    """Return what differs, with both values where they are short enough to be read."""
    one, other = json.dumps(kept), json.dumps(now)
    return f"{name} ({one}, now {other})" if max(len(one), len(other)) <= LONGEST_SHOWN else name


def replace_file(path: bytes, data: bytes) -> None:
    """Write `data` to the disk and then under its name, so that a kill leaves the old file or the new one.

    The folder is made where there is none.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_whole(path, data, mode=AS_UMASK_SAYS, beside=path + UNFINISHED)
