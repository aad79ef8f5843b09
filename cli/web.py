"""`wetread web`: serves the reading room until it is stopped."""

from __future__ import annotations

import click

from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.output import NOT_DIAGNOSTIC, say
from schemas.errors import UsageError

FILE = click.Path(exists=True, dir_okay=False)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8780,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option("--tls-certificate", type=FILE, metavar="FILE", help="The reading room's certificate, as a PEM file.")
@click.option("--tls-key", type=FILE, metavar="FILE", help="The certificate's key, as a PEM file without a password.")
@click.option(
    "--behind-proxy", metavar="ADDRESS", help="The address of the proxy that speaks TLS; only it may call then."
)
@click.option(
    "--user-header", metavar="NAME",
    help="In which that proxy says who signed in there (OIDC); readers sign in by no password then.",
)  # fmt: skip
@click.option(
    "--allowed-host", "names", multiple=True, metavar="NAME",
    help="A name by which browsers call the room, beside those of loopback and --host; may be given again.",
)  # fmt: skip
def web(
    host: str,
    port: int,
    tls_certificate: str | None,
    tls_key: str | None,
    behind_proxy: str | None,
    user_header: str | None,
    names: tuple[str, ...],
) -> None:
    """Open the reading room: look at the films, agree or disagree, until stopped.

    Who may sign in is said by `wetread readers add`. It listens on this machine alone; beyond it wants TLS, or a proxy
    that speaks it.

    \b
    Example:
      wetread readers add "Dr. Roe"
      wetread web
      wetread web --host 0.0.0.0 --tls-certificate room.pem --tls-key room.key --allowed-host room.hospital.example
      wetread web --behind-proxy 127.0.0.1 --user-header X-Forwarded-Email --allowed-host room.hospital.example
    """
    try:
        from web.serving import WebOrder, serve
    except ModuleNotFoundError as error:
        from wetread.installing import install_command

        raise UsageError(f"expected the extra `web`, found no {error.name}: {install_command('web')}") from error
    from wetread.store.readers.readers import list_readers

    if bool(tls_certificate) != bool(tls_key):
        raise UsageError("expected --tls-certificate and --tls-key together, found one of them")
    tls = (tls_certificate, tls_key) if tls_certificate and tls_key else None
    order = WebOrder(host, port, tls, behind_proxy, names, user_header)

    def opened(address: str) -> None:
        say(f"reading room: {address}")
        say(NOT_DIAGNOSTIC)

    with opened_database() as (settings, database), noted_interrupts() as asked:
        with database.reading() as session:
            readers = list_readers(session)
        if not any(reader.disabled_at is None for reader in readers):
            say("nobody may sign in yet: `wetread readers add NAME`, which counts at once")
        serve(database, settings, order, asked, opened)
