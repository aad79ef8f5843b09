"""`wetread explain`: the group; `wetread explain FILM` is its command `film`."""

from __future__ import annotations

import click

from cli.commands_on_call import CommandsOnCall

COMMANDS = {
    "film": ("cli.explain_film", "explain_film"),
    "check": ("cli.explain_check", "check"),
}


class ExplainGroup(CommandsOnCall):
    """Its commands are imported when one is called; what names none of them is a film."""

    places = COMMANDS

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; those that begin with none of the commands are a film's."""
        if args and args[0] not in (*COMMANDS, "--help", "-h"):
            args = ["film", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ExplainGroup)
def explain() -> None:
    """Show where a model looks in a film, and check how far that is to be trusted.

    `wetread explain FILM` is short for `wetread explain film FILM`; a film that is called check is `./check`.

    \b
    Example:
      wetread explain film.png --output map.png
      wetread explain check production /archive
    """
