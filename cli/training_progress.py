"""How a training is shown while it goes: a bar on a terminal, a plain line an epoch otherwise. On stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cli.output import say
from trainer.training import Progress as TrainingStep

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class TrainingProgress:
    """Give `reading` and `training` to `trainer.making.make_model`."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._begun: set[str] = set()

    def __enter__(self) -> Self:
        """Begin."""
        if sys.stderr.isatty():
            self._bar = _draw_bar()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()

    def reading(self, done: int, films: int) -> None:
        """Show how many films were read."""
        if self._bar is not None:
            self._show(self._bar, "reading films", done, films, "")
        elif done == films:
            say(f"read {films} films")

    def training(self, step: TrainingStep, name: str = "") -> None:
        """Show a batch or the end of an epoch; name: which training it is, where there are several.

        Without a bar its beginning is said, since a training without validation films says nothing more.
        """
        figures = f"loss {step.loss:.4f} accuracy {step.accuracy:.4f}"
        if step.val_loss is not None:
            figures += f" validation loss {step.val_loss:.4f} accuracy {step.val_accuracy:.4f}"
        if self._bar is not None:
            done = (step.epoch - 1) * step.batches + step.batch
            epoch = f"epoch {step.epoch}/{step.epochs} {figures}"
            self._show(self._bar, name or "training", done, step.epochs * step.batches, epoch)
            return
        if name and name not in self._begun:
            self._begun.add(name)
            say(f"training {name}")
        if step.val_loss is not None:
            say(f"{name} epoch {step.epoch}/{step.epochs} {figures}".lstrip())

    def trainings(self, done: int, count: int, last: str) -> None:
        """Show how many trainings of a study have ended, and what the last one reached."""
        if self._bar is not None:
            self._show(self._bar, "trainings", done, count, last)
        else:
            say(f"{done}/{count} {last}")

    def _show(self, bar: Progress, task: str, done: int, total: int, text: str) -> None:
        if task not in self._tasks:
            self._tasks[task] = bar.add_task(task, total=total, figures="")
        bar.update(self._tasks[task], completed=done, figures=text)


def _draw_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=Console(stderr=True),
        transient=False,
    )
