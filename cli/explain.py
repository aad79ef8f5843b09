"""`wetread explain`: the group; `wetread explain FILM` is its command `film`."""

from __future__ import annotations

from importlib import import_module

import click

from cli.short_options import shortened

COMMANDS = {
    "film": ("cli.explain_film", "explain_film"),
    "check": ("cli.explain_check", "check"),
}


class ExplainGroup(click.Group):
    """Its commands are imported when one is called; what names none of them is a film."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order in which a person needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command, importing its module."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return shortened(command)

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
