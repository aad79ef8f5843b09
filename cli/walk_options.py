"""The options that say what of the directories is looked into, the same wherever directories are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.completing import directories as complete_directories

if TYPE_CHECKING:
    from schemas.walk_rules import WalkRules

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--exclude", metavar="PATTERN", multiple=True,
        help="Leave out what matches, as in a .gitignore: 'old/', '*.txt', '/2019'; may be given again.",
    ),
    click.option("--follow-links", is_flag=True, help="Follow links that stay under a DIR, or under an allowed root."),
    click.option(
        "--allow", metavar="ROOT", multiple=True, type=click.Path(), shell_complete=complete_directories,
        help="With --follow-links: a directory that links may lead to; may be given again.",
    ),
)  # fmt: skip


def walk_options(command: Command) -> Command:
    """Add --exclude, --follow-links and --allow to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_rules(exclude: tuple[str, ...], allow: tuple[str, ...], *, follow_links: bool) -> WalkRules:
    """Return the rules that were named; raise UsageError for a wrong pattern or a missing directory."""
    from producer.linked_roots import walk_rules

    return walk_rules(exclude, allow, follow_links=follow_links)
