"""Which requests are let in: by the name they call us by, and by the page that they come from.

A browser tells where a request comes from by Origin and Sec-Fetch-Site. With the referrer policy of our pages, a form's
Origin is "null"; then Sec-Fetch-Site has to say that it is our own page, which browsers do on https and on loopback.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

PROGRAMS = "/api/v1/"
"""Where programs ask, with a token that no browser sends by itself."""

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may call. scheme: of our addresses. names: that Host may hold, without port. proxy: if any, who alone may.

    user_header: in which that proxy says who signed in there; None where readers sign in here.
    """

    scheme: str
    names: frozenset[str]
    proxy: str | None = None
    user_header: str | None = None

    def fault_of_caller(self, host: str, address: str) -> str | None:
        """Return why a caller is refused: by the Host that they named, or the address that they call from."""
        if self.proxy is not None and not _is_same(address, self.proxy):
            return "expected a request from the named proxy, found another address"
        if name_of(host) not in self.names:
            return "expected one of the names of this reading room in Host, found another; see --allowed-host"
        return None

    def told_name(self, values: list[str]) -> str | None:
        """Return whom the proxy names in these values of its header; None where it is not exactly one name."""
        if len(values) != 1 or not values[0].strip():
            return None
        try:
            return values[0].strip().encode("latin-1").decode("utf-8")
        except UnicodeError:
            return None

    def fault_of_source(self, method: str, path: str, headers: Mapping[str, str]) -> str | None:
        """Return why a request is refused by the page that it comes from; None where it may do what it asks."""
        site = headers.get("sec-fetch-site")
        if path.startswith(PROGRAMS) and site is None and "origin" not in headers:
            return None  # no browser, and no cookie counts there
        if method in ("GET", "HEAD"):
            navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            if site in (None, "same-origin", "none") or navigates:
                return None
            return "expected a request of our own page, found one of another"
        if site not in (None, "same-origin"):
            return "expected a form of our own page, found one of another"
        origin = headers.get("origin", "null")
        ours = f"{self.scheme}://{headers.get('host', '')}"
        if origin != ours and not (origin == "null" and site == "same-origin"):
            return "expected a form of our own page, found one of another origin, or a browser that does not say"
        return None


def name_of(host: str) -> str:
    """Return the name that a Host header holds, without its port."""
    head, colon, tail = host.rpartition(":")
    return (head if colon and tail.isdigit() else host).lower()


def is_loopback(address: str) -> bool:
    """Return whether an IP address is one of this machine alone."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _is_same(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one.removeprefix("::ffff:")) == ipaddress.ip_address(other)
    except ValueError:
        return False
