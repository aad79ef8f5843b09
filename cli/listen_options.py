"""Options of `wetread listen`: where it listens, for whom, and where films are kept."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.completing import directories
from schemas.errors import UsageError

if TYPE_CHECKING:
    from gateway.receiving.receiver_watchdog import ReceiverKeeper
    from wetread.settings import Settings
    from wetread.store.core.database import Database

Command = TypeVar("Command", bound=Callable[..., Any])

GIGABYTE = 1000**3
FILE = click.Path(exists=True, dir_okay=False)

_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=11112,
        show_default=True,
        help="The port to listen on; 0 takes a free one.",
    ),
    click.option(
        "--title",
        "titles",
        multiple=True,
        default=("WETREAD",),
        show_default=True,
        help="The AE title that senders call; may be given again.",
    ),
    click.option(
        "--spool",
        type=click.Path(file_okay=False),
        metavar="DIR",
        shell_complete=directories,
        help="The folder for received films, on a local disk.  [default: spool under WETREAD_HOME]",
    ),
    click.option(
        "--accept",
        type=click.Choice(["films", "all"]),
        default="films",
        show_default=True,
        help="all: take other objects too, note them as not wanted, and keep nothing of them.",
    ),
    click.option(
        "--tls-certificate",
        type=FILE,
        metavar="FILE",
        help="Our certificate, as a PEM file; peers must speak TLS then.",
    ),
    click.option(
        "--tls-key", type=FILE, metavar="FILE", help="The certificate's key, in a file that others cannot read."
    ),
    click.option(
        "--tls-authority", type=FILE, metavar="FILE", help="The authority that signed the peers' certificates, as PEM."
    ),
    click.option(
        "--plain", is_flag=True, help="Allow listening without TLS beyond this machine, where the network is protected."
    ),
    click.option(
        "--associations",
        type=click.IntRange(1, 200),
        default=25,
        show_default=True,
        help="Associations at the same time, from all peers.",
    ),
    click.option(
        "--associations-a-peer",
        type=click.IntRange(1, 200),
        default=8,
        show_default=True,
        help="Associations at the same time, from one peer.",
    ),
    click.option(
        "--least-free-gb",
        type=click.FloatRange(min=0),
        default=5.0,
        show_default=True,
        help="Refuse films while less than this is free on the spool's disk.",
    ),
    click.option(
        "--least-free-percent",
        type=click.FloatRange(0, 100),
        default=5.0,
        show_default=True,
        help="Refuse films while a smaller share of the spool's disk is free.",
    ),
)


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What was said. tls: certificate, key and authority."""

    host: str
    port: int
    titles: tuple[str, ...]
    spool: str | None
    everything: bool
    tls: tuple[str, str, str] | None
    plain: bool
    associations: int
    associations_a_peer: int
    least_free_bytes: int
    least_free_share: float

    def keeper(self, database: Database, settings: Settings) -> ReceiverKeeper:
        """Return what keeps the receiver: its port is open, its spool in the database.

        Raises UsageError where one of them cannot be, or a certificate is not to be used.
        """
        from gateway.receiving.limits import Limits
        from gateway.receiving.listening_port import opened_port
        from gateway.receiving.readiness import Watermark
        from gateway.receiving.receiver import ReceiverOrder
        from gateway.receiving.receiver_watchdog import ReceiverKeeper
        from gateway.receiving.spool import Spool
        from gateway.receiving.tls import server_context
        from wetread.store.received.peers import checked_title
        from wetread.store.received.received_films import open_account
        from wetread.store.roots.adding import root_ids

        titles = tuple(checked_title(title) for title in self.titles)
        if self.tls is not None:
            server_context(*self.tls)
        listening = opened_port(self.host, self.port, tls=self.tls is not None, plain=self.plain)
        spool = Spool(os.fsencode(self.spool or settings.home / "spool"))
        films = os.path.realpath(spool.films)
        with database.writing() as session:
            (root_id,) = root_ids(session, [films], settings.root_map)
            open_account(session, root_id)
        order = ReceiverOrder(
            settings, spool.directory, root_id, titles, self.everything, self.tls,
            Limits(
                associations=self.associations, associations_a_peer=self.associations_a_peer,
                object_bytes=settings.file_bytes,
            ),
            Watermark(self.least_free_bytes, self.least_free_share),
        )  # fmt: skip
        return ReceiverKeeper(order, listening, films)


def listen_options(command: Command) -> Any:
    """Add the options to a command, which gets them as `options`."""

    @functools.wraps(command)
    def called(
        *arguments: Any,
        host: str,
        port: int,
        titles: tuple[str, ...],
        spool: str | None,
        accept: str,
        tls_certificate: str | None,
        tls_key: str | None,
        tls_authority: str | None,
        plain: bool,
        associations: int,
        associations_a_peer: int,
        least_free_gb: float,
        least_free_percent: float,
        **others: Any,
    ) -> Any:
        options = ListenOptions(
            host, port, titles, spool, accept == "all", _tls(tls_certificate, tls_key, tls_authority), plain,
            associations, associations_a_peer, int(least_free_gb * GIGABYTE), least_free_percent / 100,
        )  # fmt: skip
        return command(*arguments, options=options, **others)

    for option in reversed(_OPTIONS):
        called = option(called)
    return called


def _tls(certificate: str | None, key: str | None, authority: str | None) -> tuple[str, str, str] | None:
    if certificate and key and authority:
        return certificate, key, authority
    if certificate or key or authority:
        raise UsageError(
            "expected --tls-certificate, --tls-key and --tls-authority together, found some of them: peers show "
            "certificates too, and the authority says whose are good"
        )
    return None
