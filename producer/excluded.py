"""Exclude patterns of a walk, with gitignore's rules: the last match decides, `!` includes again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from schemas.errors import UsageError

Excluded = Callable[[bytes, bool], bool]
"""Tells of a path relative to its root, and of whether it is a directory, whether it is left out."""


def checked_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return `patterns`; raise UsageError for a pattern that is empty or that nothing can match."""
    for pattern in patterns:
        if not pattern.strip() or pattern.startswith("#") or not pattern.isprintable():
            raise UsageError(
                f"--exclude {pattern!r}: expected a pattern as gitignore has them, such as 'old/' or '*.txt', found "
                "one that names nothing"
            )
    _compiled(patterns)
    return tuple(patterns)


def excluded_by(patterns: Sequence[str]) -> Excluded | None:
    """Return what tells whether a path is excluded; None without patterns.

    It is asked of each directory on the way before what is in it: as with git, nothing in a directory that is left out
    can be taken back.
    """
    if not patterns:
        return None
    matches = _compiled(patterns)

    def is_excluded(path: bytes, is_directory: bool) -> bool:
        return matches(os.fsdecode(path) + "/" if is_directory else os.fsdecode(path))

    return is_excluded


def lies_in_excluded(excluded: Excluded | None, path: bytes, *, is_directory: bool = False) -> bool:
    """Return whether a file or directory, or a directory on the way to it, is left out."""
    if excluded is None:
        return False
    parts = path.split(b"/")
    above = (b"/".join(parts[:count]) for count in range(1, len(parts)))
    return any(excluded(directory, True) for directory in above) or excluded(path, is_directory)


def _compiled(patterns: Sequence[str]) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns).match_file
    except ValueError as error:
        raise UsageError(f"--exclude: expected patterns as gitignore has them, found {error}") from error
