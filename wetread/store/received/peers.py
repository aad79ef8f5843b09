"""Stores peers: who may send films, from which addresses, and how we call them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from schemas.errors import UsageError
from schemas.tables import StoredPeer

_TITLE = re.compile(r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?")
"""Printable, without a backslash, and without spaces around it. Source: DICOM PS3.5, table 6.2-1, AE."""
_NAME_LENGTH = 64
_MAPPED = "::ffff:"


@dataclass(frozen=True, slots=True)
class Calls:
    """How a peer is called. host: its name or address; port: of DICOM; web: the URL of DICOMweb; None: not so.

    secret_variable, secret_file: where what it asks of us is found, which is stored nowhere. authority, certificate,
    key: PEM files; with the first it is called by TLS. plain: the network between is protected without TLS. readings:
    they may be sent to it.
    """

    host: str | None = None
    port: int | None = None
    web: str | None = None
    secret_variable: str | None = None
    secret_file: str | None = None
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None
    plain: bool = False
    readings: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return {name: value for name, value in asdict(self).items() if value not in (None, False)}


@dataclass(frozen=True, slots=True)
class Peer:
    """One that may send. network: an address, or a network as 10.1.0.0/16. calls: how it is called."""

    name: str
    title: str
    network: str
    created_at: datetime
    calls: Calls = Calls()

    @property
    def host(self) -> str | None:
        """Return whom to call by DICOM; None where only a network is known."""
        return self.calls.host or (None if "/" in self.network else self.network)

    def sends_from(self, title: str, address: str) -> bool:
        """Return whether this is who calls by `title` from `address`."""
        if title != self.title:
            return False
        found = ipaddress.ip_address(address.removeprefix(_MAPPED).partition("%")[0])
        return found in ipaddress.ip_network(self.network)


def peer_of(peers: Iterable[Peer], title: str, address: str) -> Peer | None:
    """Return the peer that may call by `title` from `address`, or None."""
    return next((peer for peer in peers if peer.sends_from(title, address)), None)


def checked_title(title: str) -> str:
    """Return an application entity's title; raise UsageError where it is not one."""
    if not _TITLE.fullmatch(title):
        raise UsageError(
            f"expected a title of 1 to 16 printable characters without backslash, found {title!r}; it is what the "
            "sender's configuration calls its AE title"
        )
    return title


def checked_network(network: str) -> str:
    """Return an address or a network in its usual form; raise UsageError where it is not one."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError as error:
        raise UsageError(
            f"expected an address such as 10.1.2.3, or a network such as 10.1.0.0/16, found {network!r}: {error}"
        ) from error
    return str(found.network_address) if found.num_addresses == 1 else str(found)


def checked_calls(peer: Peer) -> Calls:
    """Return how `peer` is called; raise UsageError where that cannot be, or would be open without protection."""
    calls = peer.calls
    if calls.port is not None and peer.host is None:
        raise UsageError("expected whom to call, found a network and a port: give --host")
    if calls.port is not None and not (calls.authority or calls.plain or _is_here(str(peer.host))):
        raise UsageError(
            "expected TLS beyond this machine, found none: films name patients. Give --tls-authority, or say --plain "
            "where the network itself is protected"
        )
    if calls.web is None:
        return calls
    parts = urlsplit(calls.web)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(
            "expected the address of a DICOMweb service, as https://pacs.hospital/dicom-web, found none in --web"
        )
    if parts.username is not None:
        raise UsageError(
            "expected --web without a password, found one in it: it would be stored; give --secret-file or --secret-env"
        )
    if parts.scheme == "http" and not calls.plain and not _is_here(parts.hostname):
        raise UsageError(
            "expected https beyond this machine, found http: films name patients. Say --plain where the network itself "
            "is protected"
        )
    return replace(calls, web=calls.web.rstrip("/"))


def add_peer(session: Session, peer: Peer) -> None:
    """Store a peer; raise UsageError for a title, a network or a name that cannot be, or a name that is taken."""
    if not 0 < len(peer.name) <= _NAME_LENGTH or not peer.name.isprintable():
        raise UsageError(f"expected a name of at most {_NAME_LENGTH} printable characters, found {peer.name!r}")
    if session.scalar(select(StoredPeer).where(StoredPeer.name == peer.name)) is not None:
        raise UsageError(f"expected a new name, found a peer {peer.name!r}; remove it first, or choose another name")
    session.add(
        StoredPeer(
            name=peer.name, title=checked_title(peer.title), network=checked_network(peer.network),
            created_at=peer.created_at, calls=checked_calls(peer).to_json() or None,
        )
    )  # fmt: skip


def change_peer(session: Session, peer: Peer) -> None:
    """Store the changed `peer` under its name; raise UsageError where a value is not valid, or the name is unknown."""
    row = session.scalar(select(StoredPeer).where(StoredPeer.name == peer.name).with_for_update())
    if row is None:
        raise _unknown(session, peer.name)
    row.title, row.network = checked_title(peer.title), checked_network(peer.network)
    row.calls = checked_calls(peer).to_json() or None


def find_peer(session: Session, name: str) -> Peer:
    """Return the peer of this name; raise UsageError listing those there are."""
    row = session.scalar(select(StoredPeer).where(StoredPeer.name == name))
    if row is None:
        raise _unknown(session, name)
    return _peer(row)


def check_asked_for(session: Session, name: str, rows: InstrumentedAttribute[str]) -> None:
    """Raise UsageError where there is no peer of this name, nor a row of one that was removed since.

    rows: the column that names the peer in what is asked for. Without this a mistyped name had an empty answer.
    """
    known = session.scalar(select(StoredPeer.id).where(StoredPeer.name == name))
    if known is None and session.scalar(select(rows).where(rows == name).limit(1)) is None:
        raise _unknown(session, name)


def list_peers(session: Session) -> list[Peer]:
    """Return the peers by name."""
    rows = session.scalars(select(StoredPeer).order_by(StoredPeer.name))
    return [_peer(row) for row in rows]


def remove_peer(session: Session, name: str) -> None:
    """Remove a peer; raise UsageError listing the peers where none has this name."""
    if session.execute(delete(StoredPeer).where(StoredPeer.name == name).returning(StoredPeer.id)).first() is None:
        raise _unknown(session, name)


def _peer(row: StoredPeer) -> Peer:
    return Peer(row.name, row.title, row.network, row.created_at, Calls(**(row.calls or {})))


def _unknown(session: Session, name: str) -> UsageError:
    known = ", ".join(repr(peer.name) for peer in list_peers(session))
    hint = f"there are: {known}" if known else "there is none yet; see `wetread peers add --help`"
    return UsageError(f"expected a peer, found none named {name!r}; {hint}")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
