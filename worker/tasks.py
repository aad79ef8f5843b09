"""The one Celery task: calls `BatchWorker.process_batch`, and is safe to run twice."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import structlog
from celery import shared_task, signals

from schemas.errors import MessageError, WetreadError
from schemas.messages import BatchMessage
from wetread.queue import TASK_NAME
from wetread.settings import load_settings
from worker.acknowledging import BatchRequest
from worker.batch_choice import CalledBatch, answer_call
from worker.failpoints import reach
from worker.metering import count_stages

if TYPE_CHECKING:
    from worker.batch import BatchWorker


@shared_task(name=TASK_NAME, max_retries=3, Request=BatchRequest)  # type: ignore[untyped-decorator]  # celery has no types
def read_batch(body: Any = None, *_: Any, **__: Any) -> None:
    """Read the batch that a message names. A message that is not ours is logged and dropped."""
    log = structlog.get_logger()
    try:
        message = BatchMessage.decode(body)
    except MessageError as error:
        log.error("a message was refused", why=str(error))
        return
    try:
        worker, batches = batch_worker()
        answer_call(worker, batches, message.batch_id)
    except WetreadError as error:
        # The message may go: the lease runs out, and the sweep rings again when the database is back, or has space.
        log.error("the batch could not be settled; it waits for the sweep", batch=message.batch_id, why=str(error))
    reach("before_acknowledge")


@lru_cache(maxsize=1)
def batch_worker() -> tuple[BatchWorker, CalledBatch]:
    """Return what this pool process reads batches with, and takes them by, made when it gets its first."""
    from wetread.logs import say_everywhere, set_up_logs
    from wetread.models.registry import Registry
    from wetread.store.core.database import Database
    from worker.batch import BatchWorker
    from worker.heartbeat import SignOfLife
    from worker.identity import worker_id
    from worker.memory import bound_memory
    from worker.models import ModelShelf

    set_up_logs()
    settings = load_settings()
    bound_memory(settings.memory_bytes)
    database = Database(settings.database, by_index=True)
    me = worker_id()
    say_everywhere(worker=me)
    worker = BatchWorker(database, settings, ModelShelf(Registry(database, settings.models_directory)), me)
    worker.stages.listeners.append(count_stages)
    signs = SignOfLife(database, me, worker.standing, in_doubt=worker.in_doubt, idle=worker.files.forget)
    signals.worker_process_shutdown.connect(lambda **_: signs.stop(), weak=False)
    signs.start()
    return worker, CalledBatch(database)
