"""`wetread beat`: the long-running process that keeps the clock."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click


@click.command()
def beat() -> None:
    """Ring for what waits, until stopped.

    Workers do so too, while they live; beat does so when all of them are gone, and so that what was submitted then
    is rung for when the first one is back. Needs WETREAD_BROKER_URL. SIGTERM ends it.

    \b
    Example:
      WETREAD_BROKER_URL=redis://localhost:6379/0 wetread beat
    """
    from producer.beat import keep_ringing
    from wetread.settings import load_settings

    stop = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    keep_ringing(load_settings(), stop)
