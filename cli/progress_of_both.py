"""Shows the progress of a run and of its companion run."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from cli.output import say
from cli.progress import RunProgress

if TYPE_CHECKING:
    from wetread.store.runs.accounts import RunAccount
    from wetread.store.runs.lifecycle import OpenedRun


def say_warning(text: str) -> None:
    """Say what is doubtful and hinders nothing."""
    say(f"warning: {text}")


class ProgressOfBoth:
    """Shows the run, and when that has ended its shadow, each with a bar of its own. run: the first's."""

    def __init__(self) -> None:
        self.run = RunProgress()
        self._shown = self.run

    def __enter__(self) -> Self:
        """Begin with the run."""
        self.run.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing, and leave the bars as they are."""
        self._shown.__exit__(kind, error, trace)

    def __call__(self, account: RunAccount) -> None:
        """Show `account`."""
        if account.shadow_of is not None and self._shown is self.run:
            self.run.__exit__(None, None, None)
            say(f"the run has ended; run {account.id}, its shadow, has more to read")
            self._shown = RunProgress().__enter__()
        if account.shadow_of is not None or self._shown is self.run:
            self._shown(account)


def say_opened(opened: OpenedRun, shadow: OpenedRun | None) -> None:
    """Say which runs were begun or are continued."""
    runs = [(f"run {opened.id}", opened)]
    if shadow is not None:
        runs.append((f"run {shadow.id}, its shadow", shadow))
    for name, run in runs:
        say(f"{name}: " + ("continued" if run.resumed else "begun"))
