"""Options that say how a peer is called: its host, port, DICOMweb service, certificates and secret."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from wetread.store.received.peers import Calls

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(exists=True, dir_okay=False)

_OPTIONS = (
    click.option("--host", help="The host to call by DICOM.  [default: --address, where it is a single address]"),
    click.option(
        "--port", type=click.IntRange(1, 65535), help="The peer's DICOM port, for C-FIND, C-GET, C-MOVE, C-STORE."
    ),
    click.option("--web", metavar="URL", help="The peer's DICOMweb service, such as https://pacs.hospital/dicom-web."),
    click.option(
        "--secret-env",
        metavar="VARIABLE",
        help="The environment variable that holds NAME:PASSWORD, or a token, for --web.",
    ),
    click.option(
        "--secret-file", type=FILE, metavar="FILE", help="A file of mode 0600 that holds NAME:PASSWORD, or a token."
    ),
    click.option(
        "--tls-authority",
        type=FILE,
        metavar="FILE",
        help="The authority that signed the peer's certificate, as PEM; DICOM is by TLS then.",
    ),
    click.option(
        "--tls-certificate", type=FILE, metavar="FILE", help="Our own certificate, as PEM, to show to the peer."
    ),
    click.option("--tls-key", type=FILE, metavar="FILE", help="Its key."),
    click.option(
        "--plain",
        is_flag=True,
        default=None,
        help="Allow calls without TLS beyond this machine, where the network is protected.",
    ),
)


def peer_options(command: Command) -> Any:
    """Add the options to a command, which gets `changed`: what makes of a peer's calls those that were asked for."""

    @functools.wraps(command)
    def called(
        *arguments: Any,
        host: str | None,
        port: int | None,
        web: str | None,
        secret_env: str | None,
        secret_file: str | None,
        tls_authority: str | None,
        tls_certificate: str | None,
        tls_key: str | None,
        plain: bool | None,
        **others: Any,
    ) -> Any:
        said = {
            "host": host, "port": port, "web": web, "secret_variable": secret_env, "secret_file": _whole(secret_file),
            "authority": _whole(tls_authority), "certificate": _whole(tls_certificate), "key": _whole(tls_key),
            "plain": plain,
        }  # fmt: skip
        named: dict[str, Any] = {name: value for name, value in said.items() if value is not None}

        def changed(calls: Calls) -> Calls:
            return replace(calls, **named)

        return command(*arguments, changed=changed, **others)

    for option in reversed(_OPTIONS):
        called = option(called)
    return called


def _whole(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)
