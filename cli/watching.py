"""`wetread status --watch`: redraws the page until q, Ctrl-C or the end of the named run."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.pace import Pace
from schemas.errors import DatabaseReplaced, ServiceUnavailable
from schemas.states import RunState
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.runs.overview import Overview, look

LOOK_SECONDS = 1.0


def watch_page(database: Database, run: int | None, asked_to_end: threading.Event) -> bool:
    """Draw the page on standard output, a terminal, until q, the event, or the end of `run` if one is named.

    Return whether it showed a run at the end. A database that is away is said on the page and asked again.
    """
    from rich.console import Console
    from rich.live import Live

    from cli.status_page import draw

    console, pace = Console(), Pace()
    seen: Overview | None = None
    with _keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while not asked_to_end.is_set():
            trouble = ""
            try:
                with database.reading() as session:
                    seen = look(session, run, seen)
            except DatabaseReplaced:
                raise
            except ServiceUnavailable as error:
                trouble = str(error)
            if seen is not None:
                for account in seen.runs if not trouble else ():
                    pace.see(account, time.monotonic())
                size = console.size
                page = draw(
                    seen, pace, height=size.height, width=size.width, trouble=trouble, clock=f"{utc_now():%H:%M:%S} UTC"
                )
                live.update(page, refresh=True)
                if run is not None and not trouble and seen.runs[0].state != RunState.RUNNING:
                    break
            elif trouble:
                raise ServiceUnavailable(trouble)
            if _pressed(keys, "q", LOOK_SECONDS, asked_to_end):
                break
    return asked_to_end.is_set() or bool(seen and seen.runs)


@contextmanager
def _keys() -> Iterator[int | None]:
    """Give the terminal that keys come from, one at a time and not shown; None where there is none."""
    if not sys.stdin.isatty():
        yield None
        return
    import termios
    import tty

    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    try:
        tty.setcbreak(keys)  # Ctrl-C stays a signal
        yield keys
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def _pressed(keys: int | None, key: str, seconds: float, asked_to_end: threading.Event) -> bool:
    """Wait up to `seconds`; return whether `key` was pressed, or the terminal is gone."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not asked_to_end.is_set():
        if keys is None:
            asked_to_end.wait(left)
        elif select.select([keys], [], [], min(left, 0.2))[0]:
            typed = os.read(keys, 64)
            if not typed or key in typed.decode("ascii", "replace").lower():
                return True
    return False
