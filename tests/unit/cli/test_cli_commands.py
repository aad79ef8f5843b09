"""Every command: help with an example, one line that the group shows, no heavy import for help."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, wetread


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(wetread))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(wetread, [*path, "--help"])
    assert shown.exit_code == 0
    assert "Example:\n" in shown.output
    assert f"wetread {path[0]}" in shown.output.partition("Example:\n")[2], "the example calls the command"
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.name} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_groups_line_is_the_commands_own(name: str) -> None:
    assert (ALL[name,].help or "").splitlines()[0] == COMMANDS[name][1]


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["--help"], {"numpy", "sqlalchemy", "cv2", "celery", "rich"}),
        (["status", "--help"], {"numpy", "sqlalchemy", "cv2", "celery"}),
        (["doctor", "--help"], {"numpy", "sqlalchemy", "tensorflow"}),
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str], banned: set[str]) -> None:
    program = (
        "import sys; from cli.main import wetread\n"
        f"wetread.main({arguments!r}, standalone_mode=False)\n"
        f"print(sorted({banned!r} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"
