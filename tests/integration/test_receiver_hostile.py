"""Peers that mean no good, or are broken: what they cost is bounded, and a good one is served beside them."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.receiving.limits import Limits
from gateway.receiving.pdu import HEAD, Kind
from tests.associating import associate_request, data, read_pdu, release, store_command
from tests.receiving import Receiving, connected, echoscu, needs, storescu, write_films
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

MEMORY_BYTES = 200 * 1024**2
FUZZED = 10_000 if os.environ.get("CHAOS") == "full" else 300
SERVED_SECONDS = 5.0
"""Or, on a machine that is busy, five times what an echo takes without anybody who means no good."""


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    folder = tmp_path_factory.mktemp("hostile")
    database = Database(f"sqlite:///{folder / 'results.db'}")
    ensure_schema(database)
    receiving = Receiving(database, folder, limits=Limits(idle_seconds=5.0, pdu_seconds=5.0)).start()
    receiving.served_seconds = max(SERVED_SECONDS, 5 * echo_seconds(receiving))
    yield receiving
    receiving.close()
    database.dispose()


def echo_seconds(at: Receiving) -> float:
    needs("echoscu")
    began = time.monotonic()
    assert echoscu(at.port, "-aet", "ECHOSCU", "-aec", "WETREAD")
    return time.monotonic() - began


def assert_well(at: Receiving, process: int) -> None:
    """A good peer is served in time, by the same process, which has not grown."""
    assert echo_seconds(at) < at.served_seconds
    assert at.process.pid == process
    assert at.process.memory_info().rss < MEMORY_BYTES


def test_a_peer_that_claims_2_gib_gets_nothing(at: Receiving) -> None:
    process, before = at.process.pid, at.process.memory_info().rss
    peers = [connected(at.port) for _ in range(5)]
    for peer in peers:
        peer.sendall(HEAD.pack(Kind.ASSOCIATE_REQUEST, 2**31 - 1))
        with suppress(OSError):
            for _ in range(20):
                peer.sendall(bytes(2**16))
    assert at.process.memory_info().rss - before < 20 * 1024**2
    for peer in peers:
        peer.close()
    assert_well(at, process)


def test_a_hundred_silent_connections_keep_nobody_out(at: Receiving) -> None:
    process = at.process.pid
    silent = [connected(at.port) for _ in range(100)]
    slow = [connected(at.port) for _ in range(50)]
    for peer in slow:
        peer.sendall(associate_request()[:40])
    assert_well(at, process)
    for peer in (*silent, *slow):  # each is closed in its time, by the other side
        peer.settimeout(30)
        with suppress(ConnectionError):
            assert peer.recv(100)[:1] in (b"", b"\7")
        peer.close()


def test_a_film_without_end_costs_a_file_and_no_memory(at: Receiving) -> None:
    process = at.process.pid
    peer = connected(at.port)
    peer.sendall(associate_request())
    assert read_pdu(peer)[0] == Kind.ASSOCIATE_ACCEPT
    peer.sendall(data(store_command("1.2.3.9"), command=True))
    part = data(bytes(2**16), last=False)
    for _ in range(500):
        peer.sendall(part)
    assert_well(at, process)
    peer.close()
    end = time.monotonic() + 20
    while at.parts() and time.monotonic() < end:
        time.sleep(0.05)
    assert at.parts() == []
    assert at.totals().received == 0


def test_mutated_associations_are_ended_and_nothing_is_received_of_them(at: Receiving, tmp_path: Path) -> None:
    needs("storescu")
    process = at.process.pid
    request = associate_request()
    whole = data(store_command("1.2.3"), command=True) + data(b"x" * 100) + release()

    def attack(mine: random.Random, count: int) -> None:
        for _ in range(count):
            sent = bytearray(request + whole)
            for _ in range(mine.randint(1, 6)):
                sent[mine.randrange(len(sent))] = mine.randrange(256)
            with suppress(OSError), connected(at.port) as peer:
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(4096):
                    pass

    threads = [
        threading.Thread(target=attack, args=(random.Random(seed), FUZZED // 4))  # noqa: S311  the same each time
        for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    assert_well(at, process)
    for thread in threads:
        thread.join(280)
        assert not thread.is_alive()
    assert_well(at, process)
    assert (at.totals().received, at.parts()) == (0, [])
    paths = write_films(tmp_path, 2)
    assert storescu(at.port, *paths).returncode == 0
    assert at.totals().received == 2
