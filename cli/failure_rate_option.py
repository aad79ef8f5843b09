"""The option --max-failure-rate, the same for every command that judges the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from schemas.alarms import MOST_FAILED

Command = TypeVar("Command", bound=Callable[..., Any])


def failure_rate_option(default: float = MOST_FAILED) -> Callable[[Command], Command]:
    """Give a command --max-failure-rate."""
    return click.option(
        "--max-failure-rate", type=click.FloatRange(0, 1), default=default, show_default=True,
        help="Exit 3 when a larger share of the images found could not be read, not counting those that are not "
        "frontal chest films. "
        "Dead films, and a run that read none of its films, always give exit 3.",
    )  # fmt: skip
