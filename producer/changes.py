"""Watches directories for changed files by inotify; where the kernel cannot tell, a later walk finds them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import structlog

from producer.excluded import Excluded, lies_in_excluded
from producer.ingest import inside, lies_in
from producer.stable_files import Key
from producer.walk import NOT_ARCHIVE, files_under, found_file
from schemas.errors import RootUnavailable
from wetread.store.images.recording import FoundFile

LISTEN_AGAIN_SECONDS = 1.0
"""How long is waited where the kernel does not let us listen again."""


class Changes:
    """Tells which files and directories under `roots` ({id: path}) something happened to.

    own: files and folders of wetread's own, which change while we look at them: nothing is told of them, nor of what
    is excluded.
    """

    def __init__(self, roots: Mapping[int, bytes], own: Sequence[str] = (), excluded: Excluded | None = None) -> None:
        self._roots, self._excluded = roots, excluded
        self._own = {root: inside(own, path) for root, path in roots.items()}
        self._heard = self._identities()
        self._told = self._listen()
        self.lost = False
        """Something may have been missed: walk."""

    def wait(self) -> Iterator[Key]:
        """Yield what happened within some tenths of a second; a directory that came is walked for its files.

        Raises RootUnavailable when a root is gone. Where another directory has its place by now, as after a mount, it
        is listened to from then on.
        """
        if (now := self._identities()) != self._heard:
            structlog.get_logger().warning("another directory has a root's place, as after a mount; listening anew")
            self._told, self._heard, self.lost = self._listen_again(), now, True
        try:
            changes = next(self._told)
        except (OSError, RuntimeError, StopIteration) as error:
            structlog.get_logger().warning("the kernel's news ended; listening again", why=type(error).__name__)
            self.lost, self._told = True, self._listen_again()  # it ends at a name that is not UTF-8, too
            return
        for _, path in changes:
            for root, top in self._roots.items():
                prefix = top.rstrip(b"/") + b"/"
                if (raw := os.fsencode(path)).startswith(prefix):
                    yield from self._files(root, top, raw.removeprefix(prefix))

    def _identities(self) -> list[tuple[int, int]]:
        """Return which directories the roots are: the kernel tells of these, and not of what comes in their place."""
        found = []
        for path in self._roots.values():
            try:
                now = os.stat(path)
            except OSError as error:
                raise RootUnavailable(
                    f"expected to watch {os.fsdecode(path)!r}, found: {error.strerror}; mount it, then run the same "
                    "command"
                ) from error
            found.append((now.st_dev, now.st_ino))
        return found

    def _listen(self) -> Iterator[set[tuple[Any, str]]]:
        """Return the news from now on: listening has begun when this returns."""
        from watchfiles import watch

        told: Iterator[set[tuple[Any, str]]] = watch(
            *(os.fsdecode(path) for path in self._roots.values()), watch_filter=None, debounce=200, step=50,
            rust_timeout=200, yield_on_timeout=True, raise_interrupt=False, ignore_permission_denied=True,
        )  # fmt: skip
        return chain([next(told)], told)

    def _listen_again(self) -> Iterator[set[tuple[Any, str]]]:
        try:
            return self._listen()
        except (OSError, RuntimeError):
            time.sleep(LISTEN_AGAIN_SECONDS)
            return iter(())  # which ends at once: then it is tried again, and walks find what there is meanwhile

    def _files(self, root: int, top: bytes, path: bytes) -> Iterator[Key]:
        if any(os.fsdecode(part) in NOT_ARCHIVE for part in path.split(b"/")) or lies_in(self._own[root], path):
            return
        folder = os.path.dirname(path)
        if os.path.realpath(os.path.join(top, folder)) != os.path.join(os.path.realpath(top), folder).rstrip(b"/"):
            return  # the kernel follows links as it listens; walks do not, and no film behind one is opened
        with suppress(OSError, RootUnavailable):
            mode = os.lstat(os.path.join(top, path)).st_mode
            if lies_in_excluded(self._excluded, path, is_directory=stat.S_ISDIR(mode)):
                return
            if stat.S_ISREG(mode):
                yield root, path
            elif stat.S_ISDIR(mode):
                for file in files_under(top, start=path, excluded=self._excluded):
                    if not lies_in(self._own[root], file.path):
                        yield root, file.path


def file_at(roots: Mapping[int, bytes], key: Key) -> FoundFile | None:
    """Return what the file is now; None when it is gone, or no regular file."""
    try:
        found = os.lstat(os.path.join(roots[key[0]], key[1]))
    except OSError:
        return None
    return found_file(key[1], found) if stat.S_ISREG(found.st_mode) else None
