"""Serves the reading room, by TLS beyond this machine or behind a proxy that was named, until asked to end."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import uvicorn

from schemas.errors import UsageError
from web.application import application
from web.film_reader import FilmReader
from web.request_checks import LOOPBACK_NAMES, Doors, is_loopback
from web.run_starts import RunStarts
from web.site import Site
from wetread.settings import Settings
from wetread.store.core.database import Database

LOOK_SECONDS = 0.2
"""Between two looks whether to end."""

AT_ONCE = 200
"""Requests; more are answered 503."""


@dataclass(frozen=True, slots=True)
class WebOrder:
    """Where to serve. tls: files of certificate and key, PEM. proxy: its address. names: that Host may hold.

    user_header: in which the proxy says who signed in there.
    """

    host: str
    port: int
    tls: tuple[str, str] | None
    proxy: str | None
    names: tuple[str, ...]
    user_header: str | None = None


def serve(
    database: Database, settings: Settings, order: WebOrder, asked: threading.Event, opened: Callable[[str], None]
) -> None:
    """Serve until `asked` is set. opened: called with the address as soon as it answers.

    Raises UsageError for an address that cannot be had, or would be open without protection.
    """
    if order.user_header is not None and order.proxy is None:
        raise UsageError(
            "--user-header: expected the proxy that sets it, by --behind-proxy ADDRESS, found none: without it anybody "
            "could name themselves"
        )
    listening, address = _opened(order)
    port = listening.getsockname()[1]
    scheme = "https" if order.tls is not None or order.proxy is not None else "http"
    own = {order.host.lower()} if order.host not in ("0.0.0.0", "::") else set()  # noqa: S104 - compared, not bound
    names = frozenset({*LOOPBACK_NAMES, *own, *(name.lower() for name in order.names)})
    films = FilmReader(settings)
    runs = RunStarts(database, settings)
    site = Site(settings, database, Doors(scheme, names, order.proxy, order.user_header), films, runs)
    config = uvicorn.Config(
        application(site), log_config=None, access_log=False, server_header=False, proxy_headers=False,
        lifespan="off", ws="none", http="h11", limit_concurrency=AT_ONCE, timeout_keep_alive=15,
        timeout_graceful_shutdown=5, ssl_certfile=None if order.tls is None else order.tls[0],
        ssl_keyfile=None if order.tls is None else order.tls[1],
    )  # fmt: skip
    server = _Server(config)
    shown = f"[{address}]" if ":" in address else address
    try:
        asyncio.run(_until_asked(server, listening, asked, lambda: opened(f"{scheme}://{shown}:{port}/")))
    finally:
        runs.close()
        films.close()
        with suppress(OSError):
            listening.close()


class _Server(uvicorn.Server):
    """Leaves signals to whoever started it."""

    def capture_signals(self):  # type: ignore[no-untyped-def]  # uvicorn's own has a decorator's type
        """Catch none."""
        from contextlib import nullcontext

        return nullcontext()


async def _until_asked(
    server: uvicorn.Server, listening: socket.socket, asked: threading.Event, opened: Callable[[], None]
) -> None:
    async def look() -> None:
        told = False
        while not asked.is_set():
            if server.started and not told:
                told = True
                opened()
            await asyncio.sleep(LOOK_SECONDS)
        server.should_exit = True

    looking = asyncio.create_task(look())
    try:
        await server.serve(sockets=[listening])
    finally:
        looking.cancel()


def _opened(order: WebOrder) -> tuple[socket.socket, str]:
    """Return a socket that listens, and its address."""
    if order.proxy is not None:
        try:
            ipaddress.ip_address(order.proxy)
        except ValueError as error:
            raise UsageError(f"--behind-proxy: expected the proxy's IP address, found {order.proxy!r}") from error
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            order.host, order.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(f"expected an address to listen on, found {order.host!r}: {error.strerror}") from error
    if order.tls is None and order.proxy is None and not is_loopback(str(address[0])):
        raise UsageError(
            f"expected TLS beyond this machine, found none for {order.host}: films name patients. Give "
            "--tls-certificate and --tls-key, or name the proxy that speaks TLS by --behind-proxy ADDRESS"
        )
    if order.tls is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*order.tls, password="")
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"expected a certificate and its key in PEM files, found: {error.strerror or error}; a key must have "
                "no password"
            ) from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"expected a free port, found that {order.host}:{order.port} cannot be opened: {error.strerror}; choose "
            "another by --port"
        ) from error
    return listening, str(address[0])
