"""How a receiver is shown while it goes: where it listens, and the runs that it fills."""

from __future__ import annotations

from collections.abc import Sequence

from cli.output import say
from cli.watch_progress import WatchProgress


class ListenProgress(WatchProgress):
    """Shows the runs, one after the other, as those of a watch."""

    def say_port(self, host: str, port: int, titles: Sequence[str], *, secured: bool) -> None:
        """Say who is called, and where."""
        how = "by TLS" if secured else "without TLS"
        say(
            f"listening as {', '.join(titles)} on {host}:{port} {how}, results in {self.place}: films are read as they "
            "come; SIGTERM or Ctrl-C ends it"
        )
