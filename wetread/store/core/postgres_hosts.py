"""Resolves the hosts of a PostgreSQL connection within a limit, which libpq and psycopg do not have."""

from __future__ import annotations

import os
from typing import Any

from psycopg import OperationalError
from psycopg.conninfo import timeout_from_conninfo

from wetread.host_names import HostsNotFound, addresses, is_address


def with_addresses(params: dict[str, Any]) -> dict[str, Any]:
    """Return libpq's `params` with an address beside each host, a host once for each address that it has.

    Hosts whose names were not resolved in time, or not at all, are left out; raises OperationalError when none is left.
    """

    def given(name: str) -> str:
        return str(params.get(name) or os.environ.get(f"PG{name.upper()}") or "")

    hosts, ports = given("host").split(","), given("port").split(",")
    names = [host for host in hosts if _is_name(host)]
    if not names or given("hostaddr") or len(ports) not in (1, len(hosts)):
        return params  # libpq says itself what is wrong with them
    try:
        known = addresses(names, timeout_from_conninfo(params))
    except HostsNotFound as error:
        if len(names) == len(hosts):
            raise OperationalError(f"failed to resolve a host of the database's URL: {error}") from error
        known = {}
    every_port = ports * len(hosts) if len(ports) == 1 else ports
    places = [
        (host, address, port)
        for host, port in zip(hosts, every_port, strict=True)
        for address in (known.get(host, []) if _is_name(host) else [_address(host)])
    ]
    one, address, port = (",".join(column) for column in zip(*places, strict=True))
    return params | {"host": one, "hostaddr": address} | ({"port": port} if port.strip(",") else {})


def _is_name(host: str) -> bool:
    """Return whether the host must be resolved: neither an address nor a socket's folder."""
    return bool(host) and _address(host) == "" and not host.startswith(("/", "@"))


def _address(host: str) -> str:
    return host if is_address(host) else ""
