"""The Tab key, asked as bash asks: the script that `wetread completion bash` prints, run by a bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.completing import database_url
from cli.main import COMMANDS
from tests.program import REPOSITORY, Program
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings
from wetread.store.core.names import Names


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program with `wetread` in its PATH, and no database yet."""
    (tmp_path / "bin").mkdir()
    called = tmp_path / "bin" / "wetread"
    called.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    called.chmod(0o755)
    return Program(tmp_path / "home", {"PATH": f"{called.parent}:{os.environ['PATH']}"})


def offered(program: Program, line: str) -> list[str]:
    """Return what bash offers for the last word of `line`, as its Tab key would ask for it."""
    words = line.split(" ")
    script = f"""
source <(wetread completion bash)
COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
COMP_CWORD={len(words) - 1}
_wetread_completion wetread '{words[-1]}' '{words[-2]}' 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    ended = subprocess.run(
        ["bash", "--norc", "-c", script], env=program.env(), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout.split()


def test_bash_is_offered_commands_options_and_choices(program: Program) -> None:
    assert set(offered(program, "wetread ")) == set(COMMANDS)
    assert offered(program, "wetread cross") == ["cross-validate"]
    assert {"list", "show", "summary"} <= set(offered(program, "wetread results "))
    assert {"--model", "--engine", "--json"} <= set(offered(program, "wetread screen --"))
    assert offered(program, "wetread screen --engine ") == ["numpy", "keras", "onnx"]


def test_bash_is_offered_what_the_database_knows(program: Program) -> None:
    publish_tiny_model(None, program.home)
    assert program.run("screen", REPOSITORY / "docs" / "images").returncode == 0
    assert offered(program, "wetread screen x --model ti") == ["tiny", "tiny@1"]
    assert {"production", "tiny"} <= set(offered(program, "wetread models show "))
    assert offered(program, "wetread status ") == ["1"]
    assert offered(program, "wetread results list --label c") == ["covid"]
    assert offered(program, "wetread results list --decision u") == ["uncertain"]


def test_asking_makes_no_database(program: Program) -> None:
    assert offered(program, "wetread screen x --model ") == []
    assert offered(program, "wetread runs cancel ") == []
    assert not program.home.exists()


def test_a_database_that_is_none_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "results.db").write_bytes(b"not a database")
    names = Names(f"sqlite:///{tmp_path / 'results.db'}")
    assert names.models() == names.runs() == names.labels() == names.schedules() == []
    assert (tmp_path / "results.db").read_bytes() == b"not a database"


def test_the_database_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for home, url in ((str(tmp_path), ""), ("~/wet", ""), ("", ""), (str(tmp_path), "sqlite:////x/y.db")):
        monkeypatch.setenv("WETREAD_HOME", home)
        monkeypatch.setenv("WETREAD_DATABASE_URL", url)
        assert database_url() == Settings().database


@pytest.mark.parametrize("line", [["wetread ", "1"], ["wetread screen --model ", "3"], ["wetread status ", "2"]])
def test_asking_loads_nothing_heavy(program: Program, line: list[str]) -> None:
    publish_tiny_model(None, program.home)
    code = (
        "import sys\nfrom cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'sqlalchemy', 'pydantic', 'rich', 'celery', 'psycopg'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    asked = {"_WETREAD_COMPLETE": "bash_complete", "COMP_WORDS": line[0], "COMP_CWORD": line[1]}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=program.env() | asked, capture_output=True, text=True, check=True
    )
    assert ended.stdout
    assert ended.stderr == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_understands_its_script(program: Program, shell: str) -> None:
    ended = program.run("completion", shell)
    assert ended.returncode == 0
    assert "_WETREAD_COMPLETE" in ended.stdout
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=ended.stdout, text=True, check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_is_offered_words_with_all_that_is_said_of_them(program: Program) -> None:
    ask = "wetread completion fish | source; complete -C 'wetread {}'"
    asked = [
        subprocess.run(
            ["fish", "--no-config", "-c", ask.format(line)], env=program.env() | {"HOME": str(program.home)},
            cwd=REPOSITORY, capture_output=True, text=True, check=True,
        ).stdout
        for line in ("results ", "schedule add x --sha")
    ]  # fmt: skip
    assert {"list", "show", "summary"} <= {line.split("\t")[0] for line in asked[0].splitlines()}
    assert asked[1] == "--shadow\tAnother model, which reads the same films beside it; looked up anew for each run.\n"


def test_names_come_from_postgresql_too(postgres_url: str, tmp_path: Path) -> None:
    publish_tiny_model(postgres_url, tmp_path)
    names = Names(postgres_url)
    assert ("tiny@1", "covid, normal, pneumonia") in names.models()
    assert names.labels() == ["covid", "normal", "pneumonia"]
