"""`wetread beat` with a clock that a test sets: python -m tests.chaos.night_beat FILE, which holds a moment."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from screening.beat import run_beat
from wetread.logs import set_up_logs
from wetread.settings import load_settings


def main() -> None:
    file, stop = Path(sys.argv[1]), threading.Event()
    set_up_logs()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_beat(load_settings(), stop, 1, lambda _made: None, lambda: datetime.fromisoformat(file.read_text()))


if __name__ == "__main__":  # the processes that it spawns import it too
    main()
