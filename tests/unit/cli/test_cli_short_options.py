"""Short options stand where a hand puts them, and what is mistyped is told with what was meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.main import wetread
from cli.output import is_quiet, set_quiet
from cli.reference import commands

EVERY = [path for path, command in commands(wetread) if not isinstance(command, click.Group)]


def found(path: tuple[str, ...]) -> click.Command:
    return dict(commands(wetread))[path]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_takes_them(path: tuple[str, ...]) -> None:
    options = {name for param in found(path).params for name in param.opts}
    assert {"-v", "-q", "-V", "--verbose", "--quiet", "--version"} <= options
    assert ("-o" in options) == ("--output" in options)


def call(*words: str) -> Result:
    return CliRunner().invoke(wetread, list(words))


@pytest.mark.parametrize("words", [("-V",), ("results", "-V"), ("results", "list", "-V"), ("--version",)], ids=str)
def test_the_version_is_told_anywhere(words: tuple[str, ...]) -> None:
    assert call(*words).stdout.startswith("wetread, version ")


@pytest.mark.parametrize(("words", "meant"), [
    (("scren",), "screen"), (("results", "lst"), "list"), (("runs", "lits"), "list"), (("model",), "models"),
])  # fmt: skip
def test_a_mistyped_command_is_told_with_the_nearest(words: tuple[str, ...], meant: str) -> None:
    ended = call(*words)
    assert ended.exit_code == 2
    assert f"Did you mean '{meant}'?" in ended.stderr


def test_nothing_like_it_is_told_without() -> None:
    assert "Did you mean" not in call("xyzzy").stderr


def test_a_variable_that_is_no_setting_is_told_with_the_nearest(tmp_path: Path) -> None:
    environment = {"WETREAD_HOM": str(tmp_path), "WETREAD_XYZZYZZY": "1", "WETREAD_HOME": str(tmp_path / "home"),
                   "WETREAD_UID": "1", "PATH": "/usr/bin:/bin"}  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json", "-q"], env=environment, capture_output=True, text=True,
        check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert ended.stderr.splitlines() == [
        "WETREAD_HOM is no setting of wetread and changes nothing; did you mean WETREAD_HOME?",
        "WETREAD_XYZZYZZY is no setting of wetread and changes nothing; docs/screening.md lists those that there are",
    ]


def test_quiet_lasts_for_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path))
    try:
        assert "Error" in call("results", "list", "-q", "--run", "x").stderr, "faults are told all the same"
        call("completion", "bash", "-q")
        assert is_quiet()
        call("completion", "bash")
        assert not is_quiet()
    finally:
        set_quiet(False)


def test_a_command_that_writes_several_files_refuses_standard_output() -> None:
    for words in (("train", "."), ("evaluate", "shipped", "."), ("compare", "."), ("cross-validate", ".")):
        ended = call(*words, "-o", "-")
        assert (ended.exit_code, "expected a folder" in ended.stderr) == (2, True), words
