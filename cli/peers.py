"""`wetread peers`: who may send films."""

from __future__ import annotations

import click

from cli.completing import peers as complete_peers
from cli.context import asked_database, opened_database
from cli.output import emit_json, emit_table, say


@click.group()
def peers() -> None:
    """Say which PACS and modalities may send films to `wetread listen`.

    \b
    Example:
      wetread peers add pacs --title ORTHANC --address 10.1.2.3
      wetread peers list
    """


@peers.command()
@click.argument("name")
@click.option("--title", required=True, help="The AE title by which it calls.")
@click.option(
    "--address", required=True, metavar="ADDRESS", help="Where it calls from: 10.1.2.3, or a network as 10.1.0.0/16."
)
def add(name: str, title: str, address: str) -> None:
    """Let a peer send; it counts within a second, and for each association that it opens from then on.

    \b
    Example:
      wetread peers add "x-ray room 2" --title DX2 --address 10.1.2.0/24
    """
    from wetread.clock import utc_now
    from wetread.store.received.peers import Peer, add_peer

    with opened_database() as (_, database), database.writing() as session:
        add_peer(session, Peer(name, title, address, utc_now()))
    say(f"{name} may send")


@peers.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(as_json: bool) -> None:
    """List the peers that may send.

    \b
    Example:
      wetread peers list
    """
    from wetread.store.received.peers import list_peers

    with asked_database() as (_, database), database.reading() as session:
        found = list_peers(session)
    if as_json:
        emit_json([
            {
                "name": peer.name, "title": peer.title, "address": peer.network,
                "created_at": peer.created_at.isoformat(),
            }
            for peer in found
        ])  # fmt: skip
        return
    emit_table(("name", "title", "address"), [[peer.name, peer.title, peer.network] for peer in found])


@peers.command()
@click.argument("name", shell_complete=complete_peers)
def remove(name: str) -> None:
    """Let a peer send no more; an association that it has open goes on to its end.

    \b
    Example:
      wetread peers remove pacs
    """
    from wetread.store.received.peers import remove_peer

    with opened_database() as (_, database), database.writing() as session:
        remove_peer(session, name)
    say(f"{name} may send no more")
