"""A screening on a PostgreSQL of the test's own, in both ways, that goes on while something is done to the server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.accounting import Accounts, ask, assert_nothing_lost
from tests.chaos.conftest import QUICK_RECOVERY
from tests.chaos.scale import times
from tests.chaos.serving import seconds_until, settled, workers
from tests.program import Program, eventually, with_model


@dataclass
class Screened:
    """A screening that goes on; said: what `screen` wrote; back: seconds until it read on, after each fault."""

    program: Program
    archive: Path
    screen: subprocess.Popen[str]
    back: list[float] = field(default_factory=list)
    said: str = ""

    def reads_on(self, limit: float = 90.0) -> None:
        """Wait until more films are settled than now, or the command has ended."""
        before = settled(self.program)
        self.back.append(
            seconds_until(
                lambda: settled(self.program) > before or self.screen.poll() is not None, limit=limit, what="reading on"
            )
        )

    def ended_well(self) -> Accounts:
        """Wait for the command's end; compare the database with the archive."""
        assert self.screen.returncode == 0, self.said
        assert "Traceback" not in self.said
        accounts = assert_nothing_lost(self.program, self.archive)
        assert accounts.runs == 1
        return accounts


@contextmanager
def screening(way: str, home: Path, archive: Path, url: str, redis_url: str) -> Iterator[Screened]:
    """Have `archive` screened on the database at `url`; wait for the end of the command after the block."""
    program = with_model(home, WETREAD_DATABASE_URL=url, **QUICK_RECOVERY)
    if way == "served":
        program.environment["WETREAD_BROKER_URL"] = redis_url
    with workers(program, 2 if way == "served" else 0):
        screen = program.start("screen", archive, "--workers", "2", "--json")
        site = Screened(program, archive, screen)
        try:
            eventually(lambda: ask(program, "SELECT 1 FROM runs"), what="the run")
            yield site
            _, site.said = screen.communicate(timeout=times(2400, 120))
        finally:
            if screen.poll() is None:
                screen.kill()
                time.sleep(0)
                site.said = screen.communicate()[1]
