"""Finds the files that a manifest names: in its own folder, from above it as in CheXpert, or below it as in NIH."""

from __future__ import annotations

import os
import stat

from wetread.path_text import path_text


class FilmPlaces:
    """Finds the films of a manifest below `root`."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._by_name: dict[bytes, list[bytes]] | None = None

    def find(self, named: str) -> bytes:
        """Return the path below the root of the film that a manifest calls `named`; raise ValueError with a sentence.

        Tried in turn: the path below the root; below the root's own folder, whose name CheXpert's paths begin with;
        and, for a bare file name such as NIH's, the one file of that name in any folder below.
        """
        path = os.path.normpath(os.fsencode(named))
        if os.path.isabs(path):
            path = self._below(path)
        elif path.split(b"/")[0] == b"..":
            raise ValueError(f"expected a path below {path_text(self._root)}")
        first, _, rest = path.partition(b"/")
        tries = [path, *([rest] if rest and first == os.path.basename(os.path.abspath(self._root)) else [])]
        for tried in tries:
            if self._is_file(tried):
                return tried
        return self._of_name(path)

    def _below(self, path: bytes) -> bytes:
        for root, there in ((os.path.abspath(self._root), path), *self._real(path)):
            if there.startswith(root.rstrip(b"/") + b"/"):
                return os.path.relpath(there, root)
        raise ValueError(f"expected a path below {path_text(self._root)}")

    def _real(self, path: bytes) -> list[tuple[bytes, bytes]]:
        return [] if b"\0" in path else [(os.path.realpath(self._root), os.path.realpath(path))]

    def _is_file(self, path: bytes) -> bool:
        try:
            mode = os.stat(os.path.join(self._root, path)).st_mode
        except FileNotFoundError:
            return False
        except (OSError, ValueError) as error:
            raise ValueError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error
        if not stat.S_ISREG(mode):
            raise ValueError("expected a file, found something else")
        return True

    def _of_name(self, path: bytes) -> bytes:
        if b"/" in path:
            raise ValueError("cannot be opened: No such file or directory")
        if self._by_name is None:
            self._by_name = self._names()
        found = self._by_name.get(path, [])
        if not found:
            raise ValueError("cannot be opened: No such file in this folder or below it")
        if len(found) > 1:
            raise ValueError(f"expected one file of that name, found {len(found)} in different folders")
        return found[0]

    def _names(self) -> dict[bytes, list[bytes]]:
        names: dict[bytes, list[bytes]] = {}
        for folder, _, files in os.walk(self._root):
            for name in files:
                names.setdefault(name, []).append(os.path.relpath(os.path.join(folder, name), self._root))
        return names
