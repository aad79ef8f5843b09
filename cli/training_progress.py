"""Shows a training's progress on stderr: a bar on a terminal, a plain line an epoch otherwise."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cli.output import is_quiet, said_above, say
from trainer.training.lesson import Progress as TrainingStep

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


AUDIT = "auditing"


class TrainingProgress:
    """Give `reading` and `training` to `trainer.studies.making.make_model`."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._shown = ExitStack()
        self._tasks: dict[str, TaskID] = {}
        self._begun: set[str] = set()

    def __enter__(self) -> Self:
        """Begin."""
        if sys.stderr.isatty() and not is_quiet():
            self._bar = self._shown.enter_context(_draw_bar())
            self._shown.enter_context(said_above(self._bar.console))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it stands."""
        if error is None:
            self.audited()
        self._shown.close()

    def reading(self, done: int, films: int) -> None:
        """Show how many films were read."""
        if self._bar is not None:
            self._show(self._bar, "reading films", done, films, f"{done}/{films}")
        elif done == films:
            say(f"read {films} films")
        if done == films:
            self._auditing(films)

    def audited(self) -> None:
        """Show that the films were audited."""
        if self._bar is not None and AUDIT in self._tasks:
            self._bar.update(self._tasks[AUDIT], total=1, completed=1, figures="")

    def _auditing(self, films: int) -> None:
        """Show that the films are looked through for copies and shortcuts, which takes long and counts nothing."""
        if AUDIT in self._begun:
            return
        self._begun.add(AUDIT)
        if self._bar is not None:
            self._tasks[AUDIT] = self._bar.add_task(AUDIT, total=None, figures="looking for copies and shortcuts")
        else:
            say(f"auditing {films} films: looking for copies and shortcuts")

    def training(self, step: TrainingStep, name: str = "") -> None:
        """Show a batch or the end of an epoch; name: which training it is, where there are several.

        Without a bar its beginning is said, since a training without validation films says nothing more.
        """
        if self._bar is not None:
            done = (step.epoch - 1) * step.batches + step.batch
            self._show(self._bar, name or "training", done, step.epochs * step.batches, _short(step))
            return
        figures = f"loss {step.loss:.4f} accuracy {step.accuracy:.4f}"
        if step.val_loss is not None:
            figures += f" validation loss {step.val_loss:.4f} accuracy {step.val_accuracy:.4f}"
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


def _short(step: TrainingStep) -> str:
    """Return where a training stands, short enough for a terminal of 80 columns."""
    text = f"{step.epoch}/{step.epochs} loss {step.loss:.3f}"
    if step.val_loss is None:
        return f"{text}, accuracy {step.accuracy:.3f}"
    return f"{text}; held out {step.val_loss:.3f}, accuracy {step.val_accuracy:.3f}"


def _draw_bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    one_line = Column(no_wrap=True, overflow="ellipsis")  # on a narrow terminal the line's end goes, and no word breaks
    return Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=12),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[figures]}", table_column=one_line),
        console=Console(stderr=True),
        transient=False,
    )
