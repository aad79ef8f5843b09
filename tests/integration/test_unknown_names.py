"""A name of nothing that was ever stored is refused by every command that takes one: its empty answer would mislead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.completing import ModelName, labels, peers, schedules
from cli.main import wetread
from cli.run_number import RunNumber
from schemas.errors import WetreadError
from tests.command_line import run
from tests.tiny_model import publish_tiny_model

NO_NUMBER, NO_NAME = "987654", "nosuch"

ALSO = {
    ("pull",): ["--since", "2026-01-01"],
    ("schedule", "edit"): ["--missed", "skip"],
    ("models", "export"): ["--format", "onnx", "--output", "FILMS/out.onnx"],
    ("models", "recalibrate"): ["--as-trained"],
}
"""What else a command has to be given before it looks at a name."""

ASKS_FIRST = {("submit",)}
"""Whether the broker is there is asked before any name is looked up."""

FILLED = {
    "directories": "FILMS", "directory": "FILMS", "new_directories": "FILMS",
    "film": "FILMS/film.png", "image": "FILMS/film.png",
    "data": "FILMS", "name": "night", "cron": "0 1 * * *", "first": "tiny", "second": "tiny",
    "model": "tiny", "names": "tiny", "peer": "pacs",
}  # fmt: skip
"""What else a command needs, by the name of its parameter."""


def _commands(command: click.Command, context: click.Context, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _commands(found, context, (*path, name))


def _command(path: tuple[str, ...]) -> click.Command:
    command, context = wetread, click.Context(wetread)
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(context, name) or command
    return command


def _names(parameter: click.Parameter) -> str | None:
    """Return a value that names nothing, for a parameter that names what is stored; None for another parameter."""
    if isinstance(parameter.type, RunNumber):
        return NO_NUMBER
    stored = isinstance(parameter.type, ModelName)
    return (
        NO_NAME if stored or getattr(parameter, "_custom_shell_complete", None) in (labels, peers, schedules) else None
    )


CASES = [
    (path, parameter.name)
    for path in _commands(wetread, click.Context(wetread))
    for parameter in _command(path).params
    if _names(parameter) and path not in ASKS_FIRST
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a model, a peer that may have readings and a schedule, and a directory with a file."""
    place = tmp_path_factory.mktemp("unknown")
    (place / "films").mkdir()
    (place / "films" / "film.png").write_bytes(b"no picture")
    publish_tiny_model(None, place / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WETREAD_HOME", str(place / "home"))
        address = ("--title", "ORTHANC", "--address", "127.0.0.1", "--port", "4242")
        assert run("peers", "add", "pacs", *address).exit_code == 0
        assert run("peers", "edit", "pacs", "--readings").exit_code == 0
        assert run("schedule", "add", "night", place / "films", "--cron", "0 1 * * *").exit_code == 0
    return place


@pytest.mark.parametrize(("path", "name"), CASES, ids=lambda one: "-".join(one) if isinstance(one, tuple) else one)
def test_a_name_of_nothing_is_refused(
    path: tuple[str, ...], name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WETREAD_HOME", str(place / "home"))
    options, arguments, wrong = list(ALSO.get(path, [])), [], ""
    for parameter in _command(path).params:
        value = _names(parameter) if parameter.name == name else None
        wrong = value or wrong
        if value is None and parameter.required and parameter.opts[0] not in options:
            value = FILLED[str(parameter.name)]
        if value is None:
            continue
        if isinstance(parameter, click.Argument):
            arguments.append(value)
        else:
            options += [parameter.opts[0], value]
    words = [word.replace("FILMS", str(place / "films")) for word in (*options, "--", *arguments)]
    ended = run(*path, *words)
    code = ended.exception.exit_code if isinstance(ended.exception, WetreadError) else ended.exit_code
    said = f"{ended.exception} {ended.output}"
    assert code == 2, said
    assert wrong in said
