"""Resolves host names within a time limit: the system's resolver has none, and a call to it cannot be ended.

A name server that hangs keeps it for 5 seconds a try, twice, for each server and each domain of /etc/resolv.conf.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable


class HostsNotFound(OSError):
    """No host has an address, by what the system says, or it did not say so in time."""


def is_address(host: str) -> bool:
    """Return whether `host` is an address already, and no name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def addresses(hosts: Iterable[str], seconds: float) -> dict[str, list[str]]:
    """Return host -> its addresses, best first, for those that were found in so many seconds; an address is its own.

    All are asked for at once. Raises HostsNotFound when none was found, and there is one to find.
    """
    until = time.monotonic() + seconds
    asked = {host: _Question(host) for host in dict.fromkeys(hosts)}
    found = {host: question.answer(until) for host, question in asked.items()}
    if asked and not any(found.values()):
        raise HostsNotFound("; ".join(f"{host}: {question.why(seconds)}" for host, question in asked.items()))
    return {host: them for host, them in found.items() if them}


class _Question:
    """One host that is asked for, in a thread that ends by itself, however late."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._found: list[str] = [host] if is_address(host) else []
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._ask, name="asks for a host's addresses", daemon=True)
        if not self._found:
            self._thread.start()

    def answer(self, until: float) -> list[str]:
        if self._thread.ident is not None:
            self._thread.join(max(0.0, until - time.monotonic()))
        return self._found

    def why(self, seconds: float) -> str:
        if self._error is not None:
            return self._error.strerror or str(self._error)
        return f"its name was not resolved within {seconds:g} s; a name server does not answer"

    def _ask(self) -> None:
        try:
            told = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except OSError as error:
            self._error = error
        except UnicodeError as error:  # a name that no name server can be asked for
            self._error = OSError(str(error))
        else:
            self._found = list(dict.fromkeys(str(one[4][0]) for one in told))
