"""What the files of deploy/ say, for tests that hold it to the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from click import Command, Context, Group

from cli.main import wetread
from tests.program import REPOSITORY

REPORT = REPOSITORY / "deploy" / "systemd" / "wetread-report.service"
TIMER = REPORT.with_suffix(".timer")


def kedas_query() -> str:
    """Return the query by whose answer KEDA scales workers."""
    manifest = (REPOSITORY / "deploy" / "kubernetes" / "keda.yaml").read_text()
    (query,) = [
        trigger["metadata"]["query"]
        for one in yaml.safe_load_all(manifest)
        for trigger in one["spec"].get("triggers", [])
    ]
    return str(query)


def called(words: list[str]) -> None:
    """Assert that wetread has the command and the options of these words."""
    command: Command | None = wetread
    while isinstance(command, Group):
        assert words, "a group alone does nothing"
        name, *words = words
        command = command.get_command(Context(command), name)
        assert command is not None, f"no command {name}"
    command.make_context("wetread", list(words), resilient_parsing=False)


def lines(unit: Path, key: str) -> Iterator[str]:
    """Yield the values of a key in a unit of systemd."""
    for line in unit.read_text().splitlines():
        if line.startswith(f"{key}="):
            yield line.partition("=")[2]
