"""SECURITY.md and docs/operations.md name files, commands and roles that are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from click import Context, Group

from cli.main import wetread

ROOT = Path(__file__).parents[2]
PAGES = ["SECURITY.md", "docs/operations.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_link_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`((?:tests|deploy|requirements|\.ci)/[\w./-]*)`", text))
    assert named
    for name in named:
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    code = [*re.findall(r"```\n(.*?)```", text, re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]
    lines = re.findall(r"^(?:WETREAD_\S+ )?wetread ([a-z][^\n#]*)", "\n".join(code), re.MULTILINE)
    assert lines or page == "SECURITY.md"
    for line in lines:
        command, words = wetread, line.split()
        while isinstance(command, Group) and words and re.fullmatch("[a-z-]+", words[0]):
            found = command.get_command(Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_security_rules_are_on_for_all_product_code() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S") and not rule.startswith(("SIM", "SLF"))]
    for folder, rules in lint["per-file-ignores"].items():
        product = not folder.startswith(("tests/", "benchmarks/"))
        assert not (product and any(re.fullmatch(r"S\d*", rule) for rule in rules)), folder
