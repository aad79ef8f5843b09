"""Finds the directory under which a directory's images are listed: one inside another shares its images.

So a film has one row, whichever command found it. The directories that have images of their own are called homes;
no home lies within another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.tables import Root


class Place(NamedTuple):
    """A directory as images know it. home: their root_id. inside: what their paths begin with, "" or "2024/"."""

    home: int
    inside: bytes


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A directory that a command was given, by its absolute path, and where its images are listed."""

    id: int
    path: bytes
    place: Place

    @property
    def is_home(self) -> bool:
        """Return whether it has images of its own."""
        return self.id == self.place.home

    @property
    def prefix(self) -> bytes:
        """Return what absolute paths of the files under it begin with."""
        return self.path.rstrip(b"/") + b"/"


_KNOWN = select(Root.id, Root.path, Root.home_id, Root.inside).order_by(Root.id)


def known_roots(session: Session, ids: Iterable[int] | None = None) -> list[KnownRoot]:
    """Return the known directories, by id: those with these ids, or all."""
    query = _KNOWN if ids is None else _KNOWN.where(Root.id.in_(sorted(set(ids))))
    return [known_root(*row) for row in session.execute(query)]


def held_place(session: Session, root_id: int) -> Place:
    """Return where this directory's images are listed; it stays so until the transaction ends."""
    query = _KNOWN.where(Root.id == root_id).with_for_update(read=True, key_share=True)
    return known_root(*session.execute(query).one()).place


def places_beginning_with(session: Session, prefix: bytes) -> list[Place]:
    """Return the places of all images whose absolute path begins with `prefix`, none within another, in order.

    A relative prefix is one under each of the known directories.
    """
    found: set[Place] = set()
    for root in known_roots(session):
        home, inside = root.place
        if not prefix.startswith(b"/"):
            found.add(Place(home, inside + prefix))
        elif root.prefix.startswith(prefix):
            found.add(root.place)
        elif prefix.startswith(root.prefix):
            found.add(Place(home, inside + prefix.removeprefix(root.prefix)))
    apart: list[Place] = []
    for place in sorted(found):
        if not (apart and apart[-1].home == place.home and place.inside.startswith(apart[-1].inside)):
            apart.append(place)
    return apart


def seen_from(roots: Sequence[KnownRoot], home: KnownRoot, path: bytes) -> tuple[bytes, bytes]:
    """Return (directory, relative path) of an image: under one of `roots`, which a run was given, if it is there.

    On a machine that sees these alone, the same image may lie nowhere else.
    """
    for root in roots:
        if root.place.home == home.id and path.startswith(root.place.inside):
            return root.path, path.removeprefix(root.place.inside)
    return home.path, path


def known_root(key: int, path: bytes, home: int | None = None, inside: bytes | None = None) -> KnownRoot:
    """Return a directory as its row has it; a home, that is one with images of its own, has no other home."""
    return KnownRoot(key, path, Place(key if home is None else home, inside or b""))


def root_paths(session: Session, ids: Sequence[int]) -> dict[int, bytes]:
    """Return {id: path} of the roots with these ids."""
    return {root.id: root.path for root in session.scalars(select(Root).where(Root.id.in_(ids)))}
