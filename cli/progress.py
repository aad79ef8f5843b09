"""Shows a run's progress on stderr: a live bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cli.output import is_quiet, say
from schemas.states import RunKind, RunState
from wetread.store.runs.accounts import RunAccount

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_SECONDS = 10.0
"""Seconds between two plain lines."""


class RunProgress:
    """Shows a run's accounts each time that it is called with them."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._ended: float | None = None
        self._settled_before: int | None = None
        self._bar: tuple[Progress, TaskID] | None = None
        self._next_line = self._started + LINE_SECONDS
        self.settled = 0

    def __enter__(self) -> Self:
        """Begin."""
        if sys.stderr.isatty() and not is_quiet():
            self._bar = _draw_bar()
            self._bar[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar[0].stop()

    @property
    def seconds(self) -> float:
        """Return the seconds from the beginning to the run's end, or until now."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def images_per_second(self) -> float:
        """Return how many images were settled a second since the beginning."""
        return self.settled / self.seconds if self.seconds > 0 else 0.0

    def __call__(self, account: RunAccount) -> None:
        """Show `account`."""
        if self._settled_before is None:
            self._settled_before = account.settled
        self.settled = account.settled - self._settled_before
        self._ended = None if account.state == RunState.RUNNING else self._ended or time.monotonic()
        counts = f"{account.done} done, {account.rejected} rejected, {account.dead} dead, {account.skipped} skipped"
        pace = f"{self.images_per_second:.1f} images/s, {self._time_left(account)}"
        if self._bar is not None:
            progress, task = self._bar
            known_end = account.walked_at is not None
            total = account.found - account.skipped if known_end else None
            progress.update(task, total=total, completed=account.settled, found=account.found, counts=counts, pace=pace)
        elif time.monotonic() >= self._next_line:
            self._next_line += LINE_SECONDS
            say(f"run {account.id}: {account.found} found, {counts}, {pace}")

    def _time_left(self, account: RunAccount) -> str:
        if account.kind == RunKind.WATCH and account.state == RunState.RUNNING and not account.pending:
            return "waits for new films"
        if account.walked_at is None and account.kind != RunKind.WATCH:
            return "still walking"
        if not account.pending:
            return "done"
        if not self.settled:
            return "starting"
        left = account.pending / self.images_per_second
        return f"{left:.0f} s left" if left < 120 else f"{left / 60:.0f} min left"


def _draw_bar() -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    progress = Progress(
        TextColumn("{task.fields[found]} found"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[counts]}"),
        TextColumn("[cyan]{task.fields[pace]}"),
        console=Console(stderr=True),
        transient=False,
    )
    return progress, progress.add_task("screen", total=None, found=0, counts="", pace="starting")
