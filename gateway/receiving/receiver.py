"""The receiver's own process: it takes films, and nothing else, within a bounded memory."""

from __future__ import annotations

import resource
import signal
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from gateway.receiving.acceptor import Acceptor
from gateway.receiving.admission import STACK_BYTES, Reception
from gateway.receiving.counts import Counts, count_beside
from gateway.receiving.group_commit import Committer
from gateway.receiving.limits import Limits
from gateway.receiving.readiness import Standing, Watermark
from gateway.receiving.spool import Spool
from gateway.receiving.spool_sweep import sweep
from gateway.receiving.tls import server_context
from schemas.errors import WetreadError
from wetread.logs import set_up_logs
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.supervised_threads import say_missed
from worker.child import Failed, die_with_parent
from worker.failpoints import armed

MEMORY_BYTES = 256 * 1024**2
"""Of data and threads' stacks; it needs a third of that with 25 associations."""

END_SECONDS = 8.0
"""Seconds that films which are being received when it is asked to end have to be answered."""


@dataclass(frozen=True, slots=True)
class ReceiverOrder:
    """What the receiver is told. titles: by which it is called; everything: other objects than films are taken, too.

    root_id: the directory of films in the database. tls: certificate, key and authority, or None.
    """

    settings: Settings
    spool: bytes
    root_id: int
    titles: Sequence[str]
    everything: bool = False
    tls: tuple[str, str, str] | None = None
    limits: Limits = field(default_factory=Limits)
    watermark: Watermark = field(default_factory=Watermark)


@dataclass(frozen=True, slots=True)
class Receiving:
    """The receiver serves."""


def receive(order: ReceiverOrder, listening: socket.socket, pipe: Connection) -> None:
    """Be the receiver, until SIGTERM, or until the parent is gone."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    die_with_parent()
    set_up_logs()
    threading.stack_size(STACK_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        armed()
        _receive(order, listening, pipe, stop)
    except WetreadError as error:
        pipe.send(Failed(str(error), error.exit_code))


def _receive(order: ReceiverOrder, listening: socket.socket, pipe: Connection, stop: threading.Event) -> None:
    context = None if order.tls is None else server_context(*order.tls)
    spool, database = Spool(order.spool), Database(order.settings.database, durable=True)
    spool.hold()
    spool.remove_parts()
    standing = Standing(database, spool, order.watermark)
    committer = Committer(database, spool, order.root_id, standing, order.limits.commit_seconds)
    committer.start()
    standing.start()
    counts = Counts()
    reception = Reception(
        spool, committer, standing, order.limits, frozenset(order.titles), order.everything, counts.add
    )
    threading.Thread(target=_sweep, args=(database, spool, order.root_id, stop), name="sweep", daemon=True).start()
    count_beside(counts, reception, standing)
    acceptor = Acceptor(listening, context, order.limits, reception.asked, lambda word: counts.add("refused", word))
    pipe.send(Receiving())
    acceptor.serve(stop)
    reception.end(END_SECONDS)
    database.dispose()


SWEEP_AGAIN_SECONDS = 5.0


def _sweep(database: Database, spool: Spool, root_id: int, stop: threading.Event) -> None:
    """Adopt what earlier processes left, while films come in; a database that is away is waited for."""
    while not stop.is_set():
        try:
            sweep(database, spool, root_id)
        except (OSError, WetreadError) as error:
            say_missed("the spool could not be swept yet", error)
            stop.wait(SWEEP_AGAIN_SECONDS)
        else:
            return
