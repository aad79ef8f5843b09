"""`wetread peers`: who may send films, and how we call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cli.completing import peers as complete_peers
from cli.context import asked_database, opened_database
from cli.output import emit_json, emit_table, say, warn
from cli.peer_options import peer_options
from schemas.errors import EXIT_UNAVAILABLE

if TYPE_CHECKING:
    from wetread.store.received.peers import Calls


@click.group()
def peers() -> None:
    """Say which PACS and modalities may send films, and how they are called.

    What may send does so to `wetread listen`; `wetread pull` and `wetread send` call.

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
@peer_options
def add(name: str, title: str, address: str, changed: Callable[[Calls], Calls]) -> None:
    """Let a peer send; it counts within a second, and for each association that it opens from then on.

    With --port or --web it can be called, too, by `wetread pull` and `wetread send`.

    \b
    Example:
      wetread peers add pacs --title ORTHANC --address 127.0.0.1 --port 4242 --web http://127.0.0.1:8042/dicom-web
      wetread peers add "x-ray room 2" --title DX2 --address 10.1.2.0/24
    """
    from wetread.clock import utc_now
    from wetread.store.received.peers import Calls, Peer, add_peer

    with opened_database() as (_, database), database.writing() as session:
        add_peer(session, Peer(name, title, address, utc_now(), changed(Calls())))
    say(f"{name} may send")


@peers.command()
@click.argument("name", shell_complete=complete_peers)
@click.option("--title", help="The AE title by which it calls and is called.")
@click.option("--address", metavar="ADDRESS", help="Where it calls from.")
@click.option(
    "--readings/--no-readings", default=None, help="Let `wetread send` give it readings, or not.  [default: not]"
)
@peer_options
def edit(
    name: str, title: str | None, address: str | None, readings: bool | None, changed: Callable[[Calls], Calls]
) -> None:
    """Change a peer; what is not named stays as it is.

    \b
    Example:
      wetread peers edit pacs --web https://pacs.hospital/dicom-web --secret-file /etc/wetread/pacs.secret
      wetread peers edit pacs --readings
    """
    from dataclasses import replace

    from wetread.store.received.peers import change_peer, find_peer

    with opened_database() as (_, database), database.writing() as session:
        before = find_peer(session, name)
        calls = changed(before.calls)
        calls = calls if readings is None else replace(calls, readings=readings)
        change_peer(
            session, replace(before, title=title or before.title, network=address or before.network, calls=calls)
        )
    say(f"{name} is changed")


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
                "created_at": peer.created_at.isoformat(), "calls": peer.calls.to_json(),
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


@peers.command()
@click.argument("name", shell_complete=complete_peers)
@click.option("--title", default="WETREAD", show_default=True, help="The AE title by which we call.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def echo(ctx: click.Context, name: str, title: str, as_json: bool) -> None:
    """Call a peer, and say whether it answers: by DICOM (C-ECHO) and by DICOMweb (a search), whichever it has.

    Nothing is fetched or sent. Exit 4 where it does not answer in some way.

    \b
    Example:
      wetread peers echo pacs
    """
    import threading

    from cli.pacs_extra import check_pacs
    from wetread.store.received.peers import find_peer

    check_pacs()
    from gateway.calling.echo import echoes
    from gateway.calling.patience import CallPatience

    with asked_database() as (_, database), database.reading() as session:
        peer = find_peer(session, name)
    found = list(echoes(peer, title, CallPatience(threading.Event(), connect=5.0, silent=10.0, whole=30.0, tries=1)))
    if as_json:
        emit_json(dict(found))
    else:
        for way, why in found:
            say(f"{name} answers {way}") if why is None else warn(f"{name}, {way}: {why}")
    ctx.exit(EXIT_UNAVAILABLE if any(why for _, why in found) else 0)
