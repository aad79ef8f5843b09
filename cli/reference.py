"""Writes docs/cli.md, the page of all commands, from the commands themselves.

`python -m cli.reference` writes it anew; a test holds it to them.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator

import click

from cli.main import wetread
from cli.output import say

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "cli.md")

HEAD = """\
# The commands

Written from the commands' own help by `make docs`; change that, not this page. `wetread COMMAND --help` shows the same.
"""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give every command of `group` under its words, each group before its own commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name  # noqa: S101 - click names no command that it does not have
        if command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def reference_page() -> str:
    """Return the page, as Markdown."""
    found = [((), wetread), *commands(wetread)]
    contents = [_entry(path, command) for path, command in _own(wetread)]
    return "\n".join([HEAD, *contents, "", *(_section(path, command) for path, command in found)]).rstrip("\n") + "\n"


def examples(command: click.Command) -> list[str]:
    """Return the lines under "Example:" in the command's help."""
    _, _, block = inspect.cleandoc(command.help or "").partition("\b\nExample:\n")
    return [line.strip() for line in block.split("\n\n")[0].splitlines()]


def _own(group: click.Group) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    return ((path, command) for path, command in commands(group) if len(path) == 1)


def _entry(path: tuple[str, ...], command: click.Command) -> str:
    within = f": {', '.join(name for (name,), _ in _own(command))}" if isinstance(command, click.Group) else ""
    return f"- [{' '.join(path)}](#wetread-{'-'.join(path)}){within}"


def _section(path: tuple[str, ...], command: click.Command) -> str:
    context = _context(path, command)
    parts = [f"{'#' * (len(path) + 1 if path else 2)} {' '.join(('wetread', *path))}", *_prose(command)]
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    parts.append(f"```\n{usage}\n```")
    described = [param.get_help_record(context) for param in command.params]
    if options := [record for record in described if record is not None and record[1]]:
        parts.append("\n".join(f"- `{names}`: {' '.join(text.split())}" for names, text in options))
    if lines := examples(command):
        parts.append("For example:\n\n```\n" + "\n".join(lines) + "\n```")
    return "\n\n".join(parts) + "\n"


def _prose(command: click.Command) -> list[str]:
    """Return the paragraphs of the help, without the examples; a paragraph after \\b stays a block."""
    found = []
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\nExample:"):
            continue
        if paragraph.startswith("\b\n"):
            found.append(f"```\n{paragraph[2:]}\n```")
        else:
            found.append(" ".join(paragraph.split()))
    return found


def _context(path: tuple[str, ...], command: click.Command) -> click.Context:
    context = click.Context(wetread, info_name="wetread", **wetread.context_settings)
    group: click.Command = wetread
    for name in path:
        within = group.get_command(context, name) if isinstance(group, click.Group) else None
        group = within or command
        context = click.Context(group, info_name=name, parent=context)
    return context


def write_page() -> None:
    """Write docs/cli.md."""
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(reference_page())
    say(f"wrote {os.path.relpath(PAGE)}")


if __name__ == "__main__":
    write_page()
