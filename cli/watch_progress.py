"""Shows a watch or a receiver while it runs: what it serves, where, and how far its runs are."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from cli.output import say
from cli.progress import LINE_SECONDS, RunProgress
from screening.watch_order import WatchOrder
from wetread.path_text import path_text
from wetread.settings import safe_url
from wetread.store.runs.accounts import RunAccount


class WatchProgress(RunProgress):
    """Shows a watch's runs, one after the other, each time that it is called with their accounts."""

    def __init__(self, order: WatchOrder, database: str) -> None:
        super().__init__()
        self._order, self._database = order, database
        self._said: tuple[int, int] | None = None

    def begin(self) -> None:
        """Say what is served, and from where."""
        order = self._order
        roots = ", ".join(path_text(path) for path in order.roots.values())
        how = "as the kernel tells of them, and " if order.listens else ""
        say(
            f"watching {roots} on {order.engine}, results in {_place(self._database)}: new films are read {how}by a "
            f"walk every {order.walk_seconds:g} s; SIGTERM or Ctrl-C ends it"
        )

    @property
    def place(self) -> str:
        """Return where the results go, without a password."""
        return _place(self._database)

    def __call__(self, account: RunAccount) -> None:
        """Show `account`; when all is read say so once, and then nothing until a new film is found."""
        if self._bar is not None or account.pending:
            super().__call__(account)
            return
        now, standing = time.monotonic(), (account.id, account.settled)
        if account.found and standing != self._said and now >= self._next_line:
            self._said, self._next_line = standing, now + LINE_SECONDS
            say(f"run {account.id}: all {account.found} found are dealt with; waits for new films")


class ListenProgress(WatchProgress):
    """Shows the runs, one after the other, as those of a watch."""

    def say_port(self, host: str, port: int, titles: Sequence[str], *, secured: bool) -> None:
        """Print the titles and the address that senders call."""
        how = "by TLS" if secured else "without TLS"
        say(
            f"listening as {', '.join(titles)} on {host}:{port} {how}, results in {self.place}: films are read as they "
            "come; SIGTERM or Ctrl-C ends it"
        )


def _place(database: str) -> str:
    return os.path.abspath(database.removeprefix("sqlite:///")) if database.startswith("sqlite") else safe_url(database)
