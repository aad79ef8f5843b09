"""Peers: who may send films, by the title they call by and the addresses they call from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.tables import StoredPeer

_TITLE = re.compile(r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?")
"""Printable, without a backslash, and without spaces around it. Source: DICOM PS3.5, table 6.2-1, AE."""
_NAME_LENGTH = 64
_MAPPED = "::ffff:"


@dataclass(frozen=True, slots=True)
class Peer:
    """One that may send. network: an address, or a network as 10.1.0.0/16."""

    name: str
    title: str
    network: str
    created_at: datetime

    def sends_from(self, title: str, address: str) -> bool:
        """Return whether this is who calls by `title` from `address`."""
        if title != self.title:
            return False
        found = ipaddress.ip_address(address.removeprefix(_MAPPED).partition("%")[0])
        return found in ipaddress.ip_network(self.network)


def peer_of(peers: Iterable[Peer], title: str, address: str) -> Peer | None:
    """Return who calls by `title` from `address`; None where nobody may."""
    return next((peer for peer in peers if peer.sends_from(title, address)), None)


def checked_title(title: str) -> str:
    """Return an application entity's title; raise UsageError where it is none."""
    if not _TITLE.fullmatch(title):
        raise UsageError(
            f"expected a title of 1 to 16 printable characters without backslash, found {title!r}; it is what the "
            "sender's configuration calls its AE title"
        )
    return title


def checked_network(network: str) -> str:
    """Return an address or a network in its usual form; raise UsageError where it is none."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError as error:
        raise UsageError(
            f"expected an address such as 10.1.2.3, or a network such as 10.1.0.0/16, found {network!r}: {error}"
        ) from error
    return str(found.network_address) if found.num_addresses == 1 else str(found)


def add_peer(session: Session, peer: Peer) -> None:
    """Store a peer; raise UsageError for a title, a network or a name that cannot be, or a name that is taken."""
    if not 0 < len(peer.name) <= _NAME_LENGTH or not peer.name.isprintable():
        raise UsageError(f"expected a name of at most {_NAME_LENGTH} printable characters, found {peer.name!r}")
    if session.scalar(select(StoredPeer).where(StoredPeer.name == peer.name)) is not None:
        raise UsageError(f"expected a new name, found a peer {peer.name!r}; remove it first, or choose another name")
    session.add(
        StoredPeer(
            name=peer.name, title=checked_title(peer.title), network=checked_network(peer.network),
            created_at=peer.created_at,
        )
    )  # fmt: skip


def list_peers(session: Session) -> list[Peer]:
    """Return the peers by name."""
    rows = session.scalars(select(StoredPeer).order_by(StoredPeer.name))
    return [Peer(row.name, row.title, row.network, row.created_at) for row in rows]


def remove_peer(session: Session, name: str) -> None:
    """Remove a peer; raise UsageError listing those there are where there is none of this name."""
    if session.execute(delete(StoredPeer).where(StoredPeer.name == name).returning(StoredPeer.id)).first() is None:
        known = ", ".join(repr(peer.name) for peer in list_peers(session))
        hint = f"there are: {known}" if known else "there is none yet; see `wetread peers add --help`"
        raise UsageError(f"expected a peer, found none named {name!r}; {hint}")
