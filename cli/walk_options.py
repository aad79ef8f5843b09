"""Options that say which files of a directory a walk takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.completing import directories as complete_directories

if TYPE_CHECKING:
    from schemas.walk_rules import WalkRules

Command = TypeVar("Command", bound=Callable[..., Any])


def walk_options(command: Command, *, instead: bool = False) -> Command:
    """Add --exclude, --follow-links and --allow to a command.

    instead: they replace what held before, and --exclude-nothing and --no-follow-links end it.
    """
    more = "; instead of the patterns before" if instead else "; may be given again"
    options = [
        click.option(
            "--exclude", metavar="PATTERN", multiple=True,
            help=f"Leave out files that match, as in a .gitignore: 'old/', '*.txt', '/2019'{more}.",
        ),
        click.option(
            "--follow-links/--no-follow-links" if instead else "--follow-links", is_flag=True,
            default=None if instead else False,
            help="Follow links that stay under a DIR, or under an allowed root.",
        ),
        click.option(
            "--allow", metavar="ROOT", multiple=True, type=click.Path(), shell_complete=complete_directories,
            help="With --follow-links: a directory that links may lead to"
            + ("; instead of those before." if instead else "; may be given again."),
        ),
    ]  # fmt: skip
    if instead:
        options.insert(1, click.option("--exclude-nothing", is_flag=True, help="Remove all exclude patterns."))
    for option in reversed(options):
        command = option(command)
    return command


def chosen_rules(exclude: tuple[str, ...], allow: tuple[str, ...], *, follow_links: bool) -> WalkRules:
    """Return the rules that were named; raise UsageError for a wrong pattern or a missing directory."""
    from producer.linked_roots import walk_rules

    return walk_rules(exclude, allow, follow_links=follow_links)
