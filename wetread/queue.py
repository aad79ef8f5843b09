"""The message queue: Celery over Redis. A message names a batch; the database says everything else.

Every setting has its reason beside it. Losing a message, or having one twice, is harmless: `ring_waiting`, the
sweep, rings again for whatever the database says is waiting, and a second claim of a batch finds it taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from schemas.errors import ServiceUnavailable
from schemas.messages import BatchMessage
from wetread.broker_address import read_address
from wetread.host_names import addresses
from wetread.settings import Settings, safe_url
from wetread.store.core.database import Database
from wetread.store.work.ringing import batches_to_ring, mark_rung

TASK_NAME = "wetread.read_batch"
QUEUE_NAME = "wetread"

CONNECT_SECONDS = 5.0
"""Seconds after which a broker that does not answer counts as unreachable: to each connection and each command."""

HEALTH_SECONDS = 10
"""Seconds after which a connection that was silent is asked whether it lives, before it is used again. A worker that
waits for messages hears from Redis every second; when it has not for so long, it connects anew."""

START_SECONDS = 60.0
"""Seconds that a pool's process has to start: a fresh interpreter with TensorFlow takes seconds to import."""

PROBE = "wetread.probe"
"""A list that never exists. What is pushed onto a list only if it exists is refused like any other write."""

SHORT_HEADERS = {"origin": "wetread", "argsrepr": "", "kwargsrepr": ""}
"""What a message says of its sender and its arguments, for logs: Celery would write the host's name, which can be long,
and the arguments a second time."""

CURES = (
    ("read only replica", "it is a replica: name the master, or sentinels (sentinel://HOST?master_name=…)"),
    ("maxmemory", "it is full: raise its maxmemory, or remove what else is kept there"),
    ("MISCONF", "it cannot write to its disk: make space there; its log says more"),
    ("wrong kind of value", f"another program keeps something named {QUEUE_NAME!r}: take another number after the /"),
    ("loading", "it reads its data after a start: it will be ready by itself"),
    ("Authentication required", "it wants a password: redis://:PASSWORD@HOST"),
    ("username-password", "it has another password or user"),
    ("no permissions", "its user may not do this: give it the commands and keys of the queue"),
    ("master is down", "it is a replica whose master is away"),
    ("no master found", "no sentinel answers, or none knows a master of that name"),
    ("certificate", "name the authority of its certificate: rediss://…?ssl_ca_certs=FILE"),
    ("Timeout connecting", "it does not answer, as when it speaks no TLS where the URL says rediss://, or hangs"),
    ("SSL", "take redis:// if it speaks no TLS, or the port that does"),
    ("Protocol Error", "what answers there is no Redis"),
    ("Timeout reading", "it is there and does not answer: it hangs, is stopped, or wants TLS (rediss://)"),
    ("reset by peer", "it closes the connection: it may want TLS (rediss://)"),
    ("Connection closed by server", "it closes the connection: it may want TLS (rediss://), or have too many clients"),
    ("max number of clients", "it has too many clients: raise its maxclients"),
    ("name server", "ask it by hand: getent hosts HOST; /etc/resolv.conf lists the servers"),
    ("Name or service not known", "correct the host in WETREAD_BROKER_URL"),
    ("Too many open files", "this process may open no more files: raise its limit, ulimit -n 1024"),
)
"""What a broker's refusal holds -> what to do about it; the first that fits."""

RING_PATIENCE_LEASES = 10
"""Leases that a ring may wait in a queue that is not empty before it counts as lost."""


def make_app(settings: Settings) -> Celery:
    """Return the Celery application; producer, worker and sweep all use this one configuration."""
    if settings.broker is None:
        raise ServiceUnavailable(
            "expected a broker, found none: set WETREAD_BROKER_URL=redis://…, or use `wetread screen`"
        )
    hard_limit = batch_seconds(settings)
    address = read_address(settings.broker)
    app = Celery("wetread", broker=address.url, include=["worker.tasks"], set_as_current=False)
    app.conf.update(
        # A message can hold numbers and text, never code.
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=QUEUE_NAME,
        # Acknowledged when settled: a worker that dies leaves its message for another.
        task_acks_late=True,
        # A waiting message belongs to whoever is free first, not to whoever connected first.
        worker_prefetch_multiplier=1,
        # Results are rows in the database; a result backend would be a second truth.
        task_ignore_result=True,
        # A child that was killed: try the message again, three times at most. Rejecting instead redelivers for
        # ever: a task that crashed its child came back 113 times in 15 s.
        task_retry_on_worker_lost=True,
        task_reject_on_worker_lost=False,
        # A film that hangs: the soft limit ends it in order, the hard one kills the child; the lease does the rest.
        task_soft_time_limit=hard_limit - 5.0,
        task_time_limit=hard_limit,
        # Redis hands a message to another worker after this; shorter than a task it would do so while it runs.
        # Every application that shares the broker must have the same.
        broker_transport_options={
            "visibility_timeout": int(hard_limit * 3) + 60,
            # Without a limit a Redis that hangs, behind a hole or stopped, is waited for for ever. A worker waits for a
            # message a second at a time, so that this is no limit on how long none may come.
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": HEALTH_SECONDS,
            # Who waits for a broker does so where it can be told to end: one try here.
            "max_retries": 0,
            **address.transport_options,
        },
        broker_connection_timeout=CONNECT_SECONDS,
        # A broker that restarts is waited for, however long that takes.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Nor is one that answers and refuses (a replica, full, of another type) a reason to end.
        broker_channel_error_retry=True,
        # What a worker does while the broker is gone would be redelivered as well: end it, its lease frees it.
        worker_cancel_long_running_tasks_on_connection_loss=True,
        # On SIGTERM a worker ends its batch, up to this long.
        worker_soft_shutdown_timeout=min(30.0, hard_limit),
        # A Keras model that was built before a fork hung 5 of 5 tasks: children start fresh and load it themselves.
        worker_pool_start_method="spawn",
        # The default of 4 s would kill it.
        worker_proc_alive_timeout=START_SECONDS,
        # A child that died answers nothing more: what it left is not waited for.
        worker_lost_wait=1.0,
        # What leaks is bounded: a child is replaced after a batch that leaves it above three quarters of what it may
        # use, or after 1,000 batches.
        worker_max_memory_per_child=settings.memory_bytes * 3 // 4 // 1024,
        worker_max_tasks_per_child=1_000,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        task_publish_retry=False,
    )
    return app


@contextmanager
def _reached(settings: Settings) -> Iterator[None]:
    """Name the faults of talking to the broker; a name server that hangs is given up first, as redis-py does not."""
    try:
        addresses(read_address(settings.broker or "").hosts, CONNECT_SECONDS)
        yield
    except (OperationalError, RedisError, OSError) as error:
        raise ServiceUnavailable(
            f"expected a broker at {safe_url(settings.broker or '')}, found: {_said(error)}; {broker_cure(error)}. "
            "What was settled stays; the same command goes on"
        ) from error


def _said(error: BaseException) -> str:
    text = str(error).partition(" : <")[0].strip().rstrip(".") or type(error).__name__
    return text.splitlines()[0][:200]


def broker_cure(error: BaseException) -> str:
    """Return what to do about a broker that refused, or did not answer, with `error`."""
    said = str(error)
    known = (cure for sign, cure in CURES if sign.lower() in said.lower())
    return next(known, "check WETREAD_BROKER_URL and that Redis runs")


def batch_seconds(settings: Settings) -> float:
    """Return the seconds that one task may take: four images at their limit, and a lease.

    A sound batch needs less; one with more films that hang than that is killed and taken up again where it stood.
    """
    return settings.image_seconds * 4 + settings.lease_seconds


class Rung(NamedTuple):
    """For how many batches the broker was rung, and how many messages were waiting in it before."""

    batches: int
    waiting: int


def ring_waiting(database: Database, app: Celery, settings: Settings) -> Rung:
    """Ring for batches that wait, up to the high-water mark.

    When the queue is empty a ring older than a lease was lost; when not, it may still be waiting its turn.
    Raises ServiceUnavailable when the broker does not answer; nothing is marked as rung then.
    """
    waiting = queue_length(app, settings)
    patience = settings.lease_seconds * (1 if waiting == 0 else RING_PATIENCE_LEASES)
    with database.reading() as session:
        batch_ids = batches_to_ring(session, high_water=settings.outstanding_batches, patience=patience)
    if not batch_ids:
        return Rung(0, waiting)
    # Rung first, marked after: a crash between the two rings twice, which is harmless; the other order might not ring.
    with _reached(settings), app.connection_for_write() as connection:
        for batch_id in batch_ids:
            ring(app, connection, batch_id)
    with database.writing() as session:
        mark_rung(session, batch_ids)
    return Rung(len(batch_ids), waiting)


def ring(app: Celery, connection: Any, batch_id: int) -> None:
    """Send the message that names a batch: at most 1,000 bytes, whatever this machine is called."""
    body = BatchMessage(batch_id).encode()
    app.send_task(TASK_NAME, args=[body], connection=connection, ignore_result=True, headers=SHORT_HEADERS)


def queue_length(app: Celery, settings: Settings) -> int:
    """Return how many messages wait; raise ServiceUnavailable when the broker does not answer, or takes no writes."""
    with _reached(settings), app.connection_for_read() as connection:
        client = connection.default_channel.client
        waiting = int(client.llen(QUEUE_NAME))
        client.lpushx(PROBE, "")  # a replica, and one that is full, would count and not take
        return waiting
