"""The commands that README and docs show are ones that wetread understands."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import click
import pytest

from tests.program import REPOSITORY
from tests.unit.cli.parsing import any_file, parsed

__all__ = ["any_file"]

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def command_lines(text: str) -> list[str]:
    """Return the lines of fenced blocks that call wetread; `list|show` is each in turn, columns beside it a remark."""
    found = []
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines()
        prompted = [line for line in lines if line.startswith("$ ")]
        for line in prompted or lines:  # beside prompts, the rest is output
            words = re.split(r"\s{3,}", line.removeprefix("$ "))
            if re.match(r"([A-Z_]+=\S+ )*wetread\b(?!:)", words[0]):
                found += [line for word in words if word.startswith("wetread") or "=" in word for line in _each(word)]
    return found


def _each(line: str) -> list[str]:
    choice = re.search(r"\b[a-z]+(\|[a-z]+)+\b", line)
    return [line.replace(choice[0], one) for one in choice[0].split("|")] if choice else [line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_command_of_a_page_is_understood(page: Path, any_file: None) -> None:
    if page.name == "cli.md":  # usages, and examples that are held elsewhere
        return
    for line in command_lines(page.read_text(encoding="utf-8")):
        with suppress(click.MissingParameter):  # an overview names commands without their arguments
            parsed(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"
