"""Names of hosts are looked up within a limit, side by side, and every address of a host is tried."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import OperationalError

from wetread.host_names import HostsNotFound, addresses
from wetread.store.core.postgres_hosts import with_addresses

KNOWN = {"one": ["10.0.0.1"], "two": ["fd00::2", "10.0.0.2"]}


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A resolver that knows two names, never answers to `silent`, and knows no other."""
    ended = threading.Event()

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        if host == "silent":
            ended.wait(30)
        if host not in KNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(None, None, None, "", (address, 0)) for address in KNOWN[host]]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    yield
    ended.set()


def test_a_name_server_that_hangs_is_given_up_and_keeps_nobody_else_waiting() -> None:
    began = time.monotonic()
    with pytest.raises(HostsNotFound, match=r"silent: its name was not resolved within 0\.1 s"):
        addresses(["silent"], 0.1)
    assert addresses(["silent", "one", "10.9.9.9"], 0.1) == {"one": ["10.0.0.1"], "10.9.9.9": ["10.9.9.9"]}
    assert time.monotonic() - began < 5
    with pytest.raises(HostsNotFound, match="none: Name or service not known"):
        addresses(["none"], 5)
    assert addresses([], 5) == {}


def test_every_address_of_a_host_is_tried_at_the_host_s_own_port() -> None:
    assert with_addresses({"host": "two,10.9.9.9,one,/var/run", "port": "1,2,3,4"}) == {
        "host": "two,two,10.9.9.9,one,/var/run",
        "hostaddr": "fd00::2,10.0.0.2,10.9.9.9,10.0.0.1,",
        "port": "1,1,2,3,4",
    }
    assert with_addresses({"host": "two", "port": 5433, "user": "u"}) == {
        "host": "two,two",
        "hostaddr": "fd00::2,10.0.0.2",
        "port": "5433,5433",
        "user": "u",
    }
    assert with_addresses({"host": "none,one"}) == {"host": "one", "hostaddr": "10.0.0.1"}


@pytest.mark.parametrize(
    "params", [{}, {"host": "/var/run"}, {"host": "10.0.0.9"}, {"host": "silent", "hostaddr": "10.0.0.9"}]
)
def test_what_needs_no_look_up_is_left_as_it_is(params: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    assert with_addresses(params) == params


def test_a_host_of_the_environment_is_looked_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "silent")
    with pytest.raises(OperationalError, match="not resolved within 2 s"):
        with_addresses({"connect_timeout": 2})
