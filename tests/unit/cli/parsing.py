"""A command line as click takes it apart, without running it."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
import pytest

from cli.main import wetread


def parsed(line: str) -> tuple[str, ...]:
    """Parse a line that a shell would get as wetread does, without running it; return the command's words.

    What the file system holds is not asked. Raises click.UsageError.
    """
    line = re.sub(r"\$\w+", "1", line)  # a variable of the shell: the number of a run, or a path
    words = shlex.split(re.split(r" (?:\d?[<>|&]|\|\|) ?", line)[0], comments=True)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    assert words.pop(0) == "wetread", f"expected a call of wetread, found {line!r}"
    context, path = wetread.make_context("wetread", words), []
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert name is not None and command is not None
        context = command.make_context(name, rest, parent=context)
        path.append(name)
    return tuple(path)


@pytest.fixture
def any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and folders that examples name are not looked for."""

    def as_given(_type: click.ParamType[Any], value: Any, *_: object) -> Any:
        return value

    monkeypatch.setattr(click.Path, "convert", as_given)
    monkeypatch.setattr(click.File, "convert", as_given)
