"""Suggests the nearest name for a mistyped command or setting; commands are imported only when called."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

PREFIX = "WETREAD_"


def refuse_mistyped(ctx: click.Context, args: list[str], known: Iterable[str]) -> None:
    """Raise UsageError, with the nearest of `known`, where the first of `args` is neither an option nor known."""
    names = list(known)
    if args and not args[0].startswith("-") and args[0] not in names and not ctx.resilient_parsing:
        from wetread.nearest import nearest

        meant = nearest(args[0], names)
        hint = "" if meant is None else f" Did you mean {meant!r}?"
        raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)


def mistyped_settings() -> list[str]:
    """Return a line for each variable that begins as a setting does and is not one."""
    mine = {name for name in os.environ if name.startswith(PREFIX)}
    if not mine:
        return []
    from wetread.nearest import nearest
    from wetread.settings import OTHER_NAMES, setting_names

    lines = []
    for name in sorted(mine - setting_names() - OTHER_NAMES):
        meant = nearest(name, setting_names())
        hint = f"did you mean {meant}?" if meant else "docs/screening.md lists those that there are"
        lines.append(f"{name} is no setting of wetread and changes nothing; {hint}")
    return lines
