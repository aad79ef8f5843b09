"""The option type of a run's number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LARGEST = 2**63 - 1
"""What a database's column of numbers holds."""


class RunNumber(click.ParamType[int]):
    """A number that a database can be asked for; wrong usage otherwise."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; fail when `value` is not a number, or larger than any run's."""
        try:
            number = int(value)
        except ValueError:
            number = -1
        if not 0 <= number <= LARGEST:
            self.fail(f"expected the number of a run, found {str(value)[:40]!r}; see `wetread runs list`", param, ctx)
        return number

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002 - click's signature
        """Offer the latest runs to the Tab key."""
        from cli.completing import runs

        return runs(incomplete)


RUN_NUMBER = RunNumber()
