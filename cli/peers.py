"""`wetread peers`: who may send films, and how we call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cli.completing import peers as complete_peers
from cli.context import asked_database, opened_database
from cli.output import emit_json, emit_table, say
from cli.peer_options import peer_options

if TYPE_CHECKING:
    from wetread.store.received.peers import Calls


@click.group()
def peers() -> None:
    """Manage which PACS and modalities may send films, and how they are called.

    What may send does so to `wetread listen`; `wetread pull` and `wetread send` call.

    \b
    Example:
      wetread peers add pacs --title ORTHANC --address 10.1.2.3
      wetread peers list
    """


@peers.command()
@click.argument("name")
@click.option("--title", required=True, help="The AE title by which the peer calls.")
@click.option(
    "--address",
    required=True,
    metavar="ADDRESS",
    help="The address that the peer calls from: 10.1.2.3, or a network such as 10.1.0.0/16.",
)
@peer_options
def add(name: str, title: str, address: str, changed: Callable[[Calls], Calls]) -> None:
    """Allow a peer to send; takes effect within a second, for associations that it opens from then on.

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
@click.option("--title", help="The AE title by which the peer calls and is called.")
@click.option("--address", metavar="ADDRESS", help="The address or network that the peer calls from.")
@click.option(
    "--readings/--no-readings", default=None, help="Allow `wetread send` to send it readings.  [default: not]"
)
@peer_options
def edit(
    name: str, title: str | None, address: str | None, readings: bool | None, changed: Callable[[Calls], Calls]
) -> None:
    """Change a peer; settings that are not given stay.

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
    """Remove a peer; an association that it has open continues to its end.

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
@click.option(
    "--seconds", type=click.FloatRange(min=0.1, max=600.0), default=10.0, show_default=True, help="How long to wait."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_context
def echo(ctx: click.Context, name: str, title: str, seconds: float, as_json: bool) -> None:
    """Ask a peer whether it answers, by DICOM (C-ECHO) and by DICOMweb, and which services it takes.

    Nothing is fetched, sent or stored. Exit 4 where it does not answer by a way that was given for it.

    \b
    Example:
      wetread peers echo pacs
    """
    from cli.pacs_extra import check_pacs

    check_pacs()
    import threading

    from gateway.calling.echo import echo as ask
    from schemas.errors import EXIT_UNAVAILABLE
    from wetread.store.received.peers import find_peer

    with asked_database() as (_, database), database.reading() as session:
        peer = find_peer(session, name)
    found = ask(peer, title, threading.Event(), seconds=seconds)
    rows = [
        {
            "way": one.way, "answers": one.why is None, "milliseconds": round(one.seconds * 1000, 1),
            "takes": list(one.takes), "why": one.why,
        }
        for one in found
    ]  # fmt: skip
    if as_json:
        emit_json(rows)
    else:
        columns = ("way", "answers", "milliseconds", "takes", "why")
        said = [
            {**row, "answers": "yes" if row["answers"] else "no", "takes": ", ".join(one.takes)}
            for row, one in zip(rows, found, strict=True)
        ]
        emit_table(columns, [[row[column] for column in columns] for row in said])
    if any(one.why is not None for one in found):
        ctx.exit(EXIT_UNAVAILABLE)
