"""A choice among words whose error suggests the nearest one."""

from __future__ import annotations

from typing import Any

import click

from wetread.nearest import no_such


class KnownChoice(click.Choice[str]):
    """As click's, with the nearest choice in the error."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word; fail when `value` is not a choice."""
        if value not in self.choices:
            self.fail(f"expected one of those that there are, {no_such(str(value), self.choices)}", param, ctx)
        return str(value)
