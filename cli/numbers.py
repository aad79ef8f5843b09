"""Option types for numbers: finite, and no larger than a machine's word.

Python reads `nan`, `1e400` and whole numbers of any length; a comparison with NaN is false both ways, so that a range
lets it in, and a number too long for the database or the system ends in an exception there.
"""

from __future__ import annotations

import math
from typing import Any

import click

LARGEST = 2**63 - 1

PROCESSES = click.IntRange(1, 1024)
"""How many processes a command may start: more are a slip of the hand, and would take the machine down."""


class _Bounded:
    """Refuses what is not finite or too large. A mixin, before one of click's types."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail as click's types do."""
        number = super().convert(value, param, ctx)  # type: ignore[misc]  # click's, beside this in each class below
        if isinstance(number, float) and not math.isfinite(number):
            raise click.BadParameter(f"expected a finite number, found {number}", ctx, param)
        if isinstance(number, int) and abs(number) > LARGEST:
            raise click.BadParameter(f"expected a number of up to 18 digits, found {len(str(abs(number)))}", ctx, param)
        return number


class _Whole(_Bounded, click.types.IntParamType):
    """Any whole number."""


class _Number(_Bounded, click.types.FloatParamType):
    """Any number."""


class _WholeRange(_Bounded, click.IntRange):
    """A whole number of a range."""


class _NumberRange(_Bounded, click.FloatRange):
    """A number of a range."""


_bounded_commands: set[click.Command] = set()


def bound_numbers(command: click.Command) -> click.Command:
    """Have each number that `command` takes be bounded, and return it; a group's commands too, as they are loaded."""
    if command in _bounded_commands:
        return command
    _bounded_commands.add(command)
    for param in command.params:
        param.type = _bounded(param.type)
    if isinstance(command, click.Group):
        load = command.get_command

        def get_command(ctx: click.Context, cmd_name: str) -> click.Command | None:
            found = load(ctx, cmd_name)
            return None if found is None else bound_numbers(found)

        command.get_command = get_command  # type: ignore[method-assign]  # groups of ours load in ways of their own
    return command


def _bounded(kind: click.ParamType[Any]) -> click.ParamType[Any]:
    if isinstance(kind, click.IntRange):
        return _WholeRange(kind.min, kind.max, kind.min_open, kind.max_open, kind.clamp)
    if isinstance(kind, click.FloatRange):
        return _NumberRange(kind.min, kind.max, kind.min_open, kind.max_open, kind.clamp)
    if kind is click.INT:
        return _Whole()
    return _Number() if kind is click.FLOAT else kind
