"""Resolves the links of an archive for a run that follows them: to known roots only, each film by its real path.

What lies under a root of the run is found there by the walk itself. What lies under a root that was allowed is given
under that root: workers open it there, directory by directory, and no link is ever opened.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from producer.excluded import Excluded, lies_in_excluded
from producer.passed_over import EXCLUDED, PassedOver
from producer.walk import NOT_ARCHIVE, FoundElsewhere, found_file

WITHIN, OUTSIDE, NOWHERE = "link within the roots", "link out of the roots", "link that leads nowhere"


@dataclass(slots=True)
class FollowedLinks:
    """Follows links of a run's `roots` into `allowed` ({id: path}). directories: led to, and not walked yet."""

    roots: Mapping[int, bytes]
    allowed: Mapping[int, bytes]
    excluded: Excluded | None = None
    directories: deque[tuple[int, bytes]] = field(default_factory=deque)
    _led_to: set[tuple[int, bytes]] = field(default_factory=set)

    def follow(self, link: bytes, passed: PassedOver) -> FoundElsewhere | None:
        """Return the file that a link leads to; a directory is kept, to be walked once whatever leads there."""
        try:
            target = os.path.realpath(link, strict=True)
            status = os.lstat(target)
        except OSError:
            passed.kinds[NOWHERE] += 1
            return None
        if any(below(path, target) is not None for path in self.roots.values()):
            passed.kinds[WITHIN] += 1
            return None
        place = self._place(target)
        if place is None:
            passed.kinds[OUTSIDE] += 1
            return None
        root, path = place
        is_directory = stat.S_ISDIR(status.st_mode)
        if path and lies_in_excluded(self.excluded, path, is_directory=is_directory):
            passed.kinds[EXCLUDED] += 1
        elif any(os.fsdecode(part) in NOT_ARCHIVE for part in path.split(b"/")):
            passed.kinds["storage system's directory"] += 1
        elif is_directory:
            self._lead_to(root, path)
        elif stat.S_ISREG(status.st_mode):
            return FoundElsewhere(root, found_file(path, status))
        else:
            passed.kinds["special file"] += 1
        return None

    def left_out(self, root: int) -> Excluded | None:
        """Return what is left out of an allowed root: by patterns, and the run's own roots, which are walked anyway."""
        inner = {path for own in self.roots.values() if (path := below(self.allowed[root], own))}
        if not inner:
            return self.excluded
        by_pattern = self.excluded
        return lambda path, is_directory: path in inner or (by_pattern is not None and by_pattern(path, is_directory))

    def _place(self, target: bytes) -> tuple[int, bytes] | None:
        """Return the innermost allowed root that `target` lies in, and its path there."""
        places = [(len(path), root, below(path, target)) for root, path in self.allowed.items()]
        inside = [(length, root, path) for length, root, path in places if path is not None]
        if not inside:
            return None
        _, root, path = max(inside)
        return root, path

    def _lead_to(self, root: int, path: bytes) -> None:
        parts = path.split(b"/")
        above: Sequence[bytes] = [b"", *(b"/".join(parts[:count]) for count in range(1, len(parts) + 1))]
        if not any((root, directory) in self._led_to for directory in above):
            self._led_to.add((root, path))
            self.directories.append((root, path))


def below(root: bytes, path: bytes) -> bytes | None:
    """Return `path` relative to `root`, b"" for the root itself; None where it lies elsewhere. Both without links."""
    if path == root:
        return b""
    prefix = root.rstrip(b"/") + b"/"
    return path[len(prefix) :] if path.startswith(prefix) else None
