"""Every command: help with examples that are understood, its place in docs/cli.md, no heavy import for help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, wetread
from cli.reference import PAGE, commands, examples, reference_page
from tests.unit.cli.parsing import any_file, parsed

__all__ = ["any_file"]

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


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_every_example_is_a_command_that_is_understood(path: tuple[str, ...], any_file: None) -> None:
    lines = examples(ALL[path] if path else wetread)
    called = [parsed(line) for line in lines if not line.startswith("export ")]
    assert any(words[: len(path)] == path for words in called), "an example calls the command itself"


@pytest.mark.parametrize(
    "line",
    ["wetread screen", "wetread screen x --workers 0", "wetread screen x --enigne numpy", "wetread runs lst"],
)
def test_a_line_that_is_not_understood_is_found(line: str, any_file: None) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)


def test_the_page_of_commands_is_theirs() -> None:
    assert Path(PAGE).read_text(encoding="utf-8") == reference_page(), (
        "docs/cli.md is not what the commands say: run `make docs` (or `python -m cli.reference`), and commit it"
    )


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
