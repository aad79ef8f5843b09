"""Lets -v, -q and -V stand behind the command too, and -o mean --output."""

from __future__ import annotations

from typing import Any, TypeVar

import click

from cli.output import set_quiet

AnyCommand = TypeVar("AnyCommand", bound=click.Command)

version_option = click.version_option(None, "-V", "--version", package_name="wetread", prog_name="wetread")


def shortened(command: AnyCommand) -> AnyCommand:
    """Return the command with these options, and its commands with them; its help shows -o alone of them."""
    if any(param.name == "verbose_here" for param in command.params):
        return command
    taken = {name for param in command.params for name in param.opts}
    for param in command.params:
        if "--output" in param.opts and "-o" not in taken:
            param.opts.insert(0, "-o")
    command.params += [option for option in _hidden() if not taken & set(option.opts)]
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        shortened(inner)
    return command


def _hidden() -> list[click.Option]:
    """Return the options that every command takes; `wetread --help` shows them once."""

    def show_version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
        if asked and not ctx.resilient_parsing:
            from importlib.metadata import version

            click.echo(f"wetread, version {version('wetread')}")
            ctx.exit()

    return [
        _flag("-v", "--verbose", "Log what is done.", callback=_verbose),
        _flag("-q", "--quiet", "Print data, faults and alarms alone.", callback=_quiet),
        _flag("-V", "--version", "Show the version.", callback=show_version, is_eager=True),
    ]


def _flag(short: str, long: str, help_text: str, **how: Any) -> click.Option:
    names = [short, long, f"{long.removeprefix('--')}_here"]
    return click.Option(names, is_flag=True, expose_value=False, hidden=True, help=help_text, **how)


def _verbose(_ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked:
        from wetread.logs import set_up_logs

        set_up_logs(verbose=True)


def _quiet(_ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked:
        set_quiet(True)
