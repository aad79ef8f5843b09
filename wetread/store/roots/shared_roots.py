"""Finds directories that share their images (one inside another, or one by two paths), and lists those images once.

It is asked anew whenever a command is given a directory: what is mounted where may have changed since.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from schemas.tables import Image, Root
from wetread.store.images.mounts import Mount, below, is_same_directory, mount_table, other_names
from wetread.store.images.places import KnownRoot, Place, known_roots
from wetread.store.roots.moving import move_images


def find_homes(session: Session, paths: Iterable[bytes], elsewhere: Mapping[str, str]) -> None:
    """Say of the known directories at `paths` where their images are listed, and of those inside them.

    elsewhere: {path in the database: path on this machine}, as WETREAD_ROOT_MAP has it. Images that two directories
    have of one film become one. Call it under `lock_roots`: of two commands the second has to see the first's.
    """
    mounts = mount_table()
    for path in sorted(paths):
        known = known_roots(session)
        mine = next(root for root in known if root.path == path)
        homes = [root for root in known if root.is_home and root.id != mine.id]
        place = _within(mine.path, homes, mounts, elsewhere) or _as_was_known(mine, known)
        _put(session, mine, place)
        mine = known_roots(session, [mine.id])[0]
        for other, inside in _inside(mine, homes, mounts):
            _put(session, other, Place(mine.place.home, mine.place.inside + inside))
    # Where a program of the version before still runs, it lists images under directories that share another's.
    strayed = select(Root.id).where(Root.home_id.is_not(None), exists().where(Image.root_id == Root.id))
    for root in known_roots(session, session.scalars(strayed)):
        move_images(session, root.id, root.place)


def _within(
    path: bytes, homes: Sequence[KnownRoot], mounts: Sequence[Mount], elsewhere: Mapping[str, str]
) -> Place | None:
    """Return the place of `path` in one of `homes`: by its own name, by that of another mount, or by the root map."""
    for name in _names(path, mounts, elsewhere):
        for home in homes:
            if (inside := below(name, home.path)) is not None:
                return Place(home.id, inside)
    return None


def _names(path: bytes, mounts: Sequence[Mount], elsewhere: Mapping[str, str]) -> Iterator[bytes]:
    yield path
    for there, here in elsewhere.items():
        if (rest := below(path, os.fsencode(here).rstrip(b"/"))) is not None:
            yield os.path.join(os.fsencode(there).rstrip(b"/"), rest).rstrip(b"/")
    yield from (name for name in other_names(path, mounts) if is_same_directory(name, path))


def _as_was_known(mine: KnownRoot, known: Sequence[KnownRoot]) -> Place | None:
    """Return the place that a name was found to be once, where it cannot be compared now, or is the same still."""
    homes = {root.id: root for root in known if root.is_home}
    for root in known:
        if root.is_home or (inside := below(mine.path, root.path)) is None:
            continue
        home = homes[root.place.home]
        there = os.path.join(home.path, root.place.inside).rstrip(b"/") or b"/"
        if is_same_directory(there, root.path) is not False:
            return Place(home.id, root.place.inside + inside)
    return None


def _inside(mine: KnownRoot, homes: Sequence[KnownRoot], mounts: Sequence[Mount]) -> Iterator[tuple[KnownRoot, bytes]]:
    """Yield the homes that lie within `mine`, and where."""
    for home in homes:
        if home.id == mine.place.home:
            continue
        if (inside := below(home.path, mine.path)) is not None:
            yield home, inside
            continue
        for name in other_names(home.path, mounts):
            if (inside := below(name, mine.path)) is not None and is_same_directory(name, home.path):
                yield home, inside
                break


def _put(session: Session, root: KnownRoot, place: Place | None) -> None:
    """Say that a directory's images are listed at `place`; None: it has its own."""
    place = place or Place(root.id, b"")
    if place == root.place:
        return
    own = place.home == root.id
    if root.is_home:
        # Walks hold their directory's row while they record: they wait, and then go by what is said here.
        session.execute(select(Root.id).where(Root.id.in_([root.id, place.home])).order_by(Root.id).with_for_update())
        move_images(session, root.id, place)
        for other in known_roots(session):
            if other.place.home == root.id and other.id != root.id:
                inside = place.inside + other.place.inside
                session.execute(update(Root).where(Root.id == other.id).values(home_id=place.home, inside=inside))
    values = {"home_id": None, "inside": None} if own else {"home_id": place.home, "inside": place.inside}
    session.execute(update(Root).where(Root.id == root.id).values(values))
