"""Completes arguments at the Tab key: models, runs, labels, schedules and peers of the database, and directories.

An option or argument that takes one of these says so: type=MODEL, type=RUN_NUMBER (cli.run_number),
shell_complete=labels, schedules, peers or directories.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from wetread.store.core.names import Names

PROGRAM, VARIABLE = "wetread", "_WETREAD_COMPLETE"
"""The command that shells complete, and how they ask it to."""


class ModelName(click.ParamType[str]):
    """A model as people name it; looked up when the command runs."""

    name = "text"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002 - click's signature
        """Offer aliases, names and versions."""
        return items(known_names().models(), incomplete)


MODEL = ModelName()


def runs(incomplete: str) -> list[CompletionItem[str]]:
    """Offer the latest runs."""
    return items(known_names().runs(), incomplete)


def labels(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001 - click's signature
    """Offer the labels of all models; for a decision uncertain too."""
    more = ["uncertain"] if param.name == "decision" else []
    return items(((label, "") for label in [*known_names().labels(), *more]), incomplete)


def schedules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001 - click's signature
    """Offer the schedules; bash inserts what it is given, so a name of several words comes quoted."""
    found = items(known_names().schedules(), incomplete)
    if os.environ.get(VARIABLE, "").startswith("bash"):
        for item in found:
            item.value = shlex.quote(item.value)
    return found


def peers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001 - click's signature
    """Offer the peers, as the schedules are offered."""
    found = items(known_names().peers(), incomplete)
    if os.environ.get(VARIABLE, "").startswith("bash"):
        for item in found:
            item.value = shlex.quote(item.value)
    return found


def directories(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001 - click's signature
    """Let the shell offer its directories."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001 - click's signature
    """Let the shell offer its files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def items(offered: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem[str]]:
    """Return what begins as the word does, each with what it is."""
    from click.shell_completion import CompletionItem

    fitting = [(value, what) for value, what in offered if value.startswith(incomplete) and value.isprintable()]
    return [CompletionItem(value, help=what or None) for value, what in fitting]


def known_names() -> Names:
    """Return the names in the database that the settings name, without loading the settings' library."""
    from wetread.store.core.names import Names

    return Names(database_url())


def database_url() -> str:
    """Return what `Settings.database` does; a test holds them equal."""
    if url := os.environ.get("WETREAD_DATABASE_URL"):
        return url
    home = os.environ.get("WETREAD_HOME")
    if not home:
        import platformdirs

        home = platformdirs.user_data_dir("wetread", appauthor=False)
    return f"sqlite:///{os.path.join(os.path.abspath(os.path.expanduser(home)), 'results.db')}"
