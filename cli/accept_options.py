"""Options of commands that make runs: words of DICOM headers that a site wants read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from schemas.films import Accepted
    from wetread.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = {
    "other_modality": "--accept-modality",
    "other_body_part": "--accept-body-part",
    "other_view": "--accept-view",
}
"""The reason for which a word sets a film aside -> the option that has it read."""


def accept_options(command: Command, *, instead: bool = False) -> Command:
    """Give a command --accept-body-part, --accept-view and --accept-modality, and hand it `accept_*` with the words.

    instead: they replace what was accepted before, and --accept-nothing ends it.
    """
    if instead:
        command = click.option("--accept-nothing", is_flag=True, help="Accept none of the words accepted before.")(
            command
        )
    more = "instead of the words before" if instead else "too; may be given again"
    for option, what in (
        ("--accept-modality", "a modality"),
        ("--accept-view", "a view"),
        ("--accept-body-part", "a part of the body"),
    ):
        command = click.option(
            option, multiple=True, metavar="WORD",
            help=f"Read films of {what} that is set aside by this word, {more}.",
        )(command)  # fmt: skip
    return command


def accepted(
    settings: Settings, modalities: tuple[str, ...], body_parts: tuple[str, ...], views: tuple[str, ...]
) -> Accepted:
    """Return the words of the options and of the settings."""
    from schemas.films import Accepted

    return settings.accepted | Accepted(modalities, body_parts, views)


def accepted_options(words: Accepted) -> list[str]:
    """Return the words as the options that give them, for a command line."""
    options = ("--accept-modality", "--accept-body-part", "--accept-view")
    return [part for option, some in zip(options, words.lists, strict=True) for word in some for part in (option, word)]
