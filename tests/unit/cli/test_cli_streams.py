"""Every command, whatever its standard streams are: a sentence and an exit code, never a traceback.

One process loads the commands once and runs each in a child of its own, which has the streams that the test wants.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from cli.main import wetread
from tests.program import REPOSITORY, with_model

PRINTING = {
    "completion": ["bash"], "health": ["database"], "models list": [], "models show": ["production"],
    "models verify": ["production"], "results list": ["--format", "jsonl"], "results summary": [],
    "runs list": ["--json"], "schedule list": ["--json"], "errors list": [],
}  # fmt: skip
"""Commands that print from the database of a moment ago, and with what; the others print their help."""

RUNNER = """
import json, os, sys
from importlib import import_module
from cli.main import COMMANDS, main
for module, _ in COMMANDS.values():
    import_module(module)
import wetread.models.registry, wetread.store.core.migrating, pydantic_settings
where, commands = sys.argv[1], json.loads(sys.stdin.read())
for number, arguments in enumerate(commands):
    if not (child := os.fork()):
        said = os.open(f"{where}/{number}.err", os.O_WRONLY | os.O_CREAT)
        os.dup2(said, 2)
        os.close(said)
        if sys.argv[2] == "closed":
            sys.stdout = sys.__stdout__ = None
            os.close(1)
        else:
            os.dup2(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), 1)
        sys.argv = ["wetread", *arguments]
        main()
    print(json.dumps([arguments, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]), flush=True)
"""


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        each = command.get_command(context, name)
        assert each is not None
        found += leaves(each, (*path, name))
    return found


@pytest.mark.parametrize(
    ("stdout", "encoding", "code"),
    [("/dev/full", "utf-8", 1), ("closed", "utf-8", 1), ("/dev/null", "ascii", 0), ("/dev/null", "latin-1", 0)],
)
def test_no_command_ends_in_a_traceback(tmp_path: Path, stdout: str, encoding: str, code: int) -> None:
    program = with_model(tmp_path / "home")
    arguments = [[*path, *PRINTING.get(" ".join(path), ["--help"])] for path in leaves(wetread)]
    assert len(arguments) > 40
    ran = subprocess.run(
        [sys.executable, "-c", RUNNER, str(tmp_path), stdout], input=json.dumps(arguments), text=True, check=True,
        env=program.env() | {"PYTHONIOENCODING": encoding}, stdout=subprocess.PIPE, timeout=240,
    )  # fmt: skip
    ended = dict(enumerate(map(json.loads, ran.stdout.splitlines())))
    assert len(ended) == len(arguments)
    for number, (command, found) in ended.items():
        said = (tmp_path / f"{number}.err").read_text(errors="replace")
        prints = command[:2] not in (["errors", "list"], ["results", "list"]) or code == 0
        assert found == code or not prints, (command, found, said)
        assert "Traceback" not in said, (command, said)
        assert "a fault of wetread" not in said, (command, said)
        assert code == 0 or "found" in said or not prints, (command, said)


def run(tmp_path: Path, *arguments: str, prepare: Callable[[], object], **environment: str) -> tuple[int, str]:
    """Return the exit code of a command in whose process `prepare` was called first, and what it said."""
    ended = subprocess.run(
        [sys.executable, "-m", "cli", *arguments], env=with_model(tmp_path / "home").env() | environment, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, preexec_fn=prepare,
    )  # fmt: skip
    return ended.returncode, ended.stderr


def test_json_stays_json_where_the_encoding_is_poor() -> None:
    made = (
        "from cli.streams import prepare_streams\nprepare_streams()\n"
        "from cli.output import emit_json\nemit_json('é…\\U0001f600')"
    )
    poor = {"PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(REPOSITORY)}
    ran = subprocess.run([sys.executable, "-c", made], env=os.environ | poor, stdout=subprocess.PIPE, check=True)
    assert json.loads(ran.stdout.decode("latin-1")) == "é…\U0001f600"


def test_what_is_opened_does_not_get_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """A database that had it would be written into by whatever prints."""
    code, said = run(tmp_path, "models", "list", prepare=lambda: [os.close(number) for number in (0, 1)])
    assert code == 1
    assert "found it closed" in said
    assert run(tmp_path, "models", "list", prepare=lambda: None) == (0, ""), "the database is whole"


def test_a_fault_of_ours_is_a_sentence_and_verbose_shows_the_rest(tmp_path: Path) -> None:
    broken = (
        "import cli.doctor\ndef fail(_): raise KeyError('x')\ncli.doctor._findings = fail\n"
        "from cli.main import main\nmain()"
    )
    for verbose in (False, True):
        ended = subprocess.run(
            [sys.executable, "-c", broken, *(["--verbose"] if verbose else []), "doctor"], text=True, check=False,
            env=with_model(tmp_path / "home").env(), capture_output=True,
        )  # fmt: skip
        assert ended.returncode == 1
        assert "a fault of wetread: KeyError" in ended.stderr
        assert ("Traceback" in ended.stderr) == verbose


def test_too_few_files_are_named(tmp_path: Path) -> None:
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))  # noqa: E731 - called once, in the child
    code, said = run(tmp_path, "worker", prepare=few, WETREAD_BROKER_URL="redis://127.0.0.1:1/0")
    assert code == 1
    assert "found a limit of 16; raise it: ulimit -n" in said
