"""Options of `wetread pull`: which films, by which protocol, and at what pace."""

from __future__ import annotations

from datetime import date, datetime

import click

from cli.completing import directories

DAY = click.DateTime(["%Y-%m-%d"])

HOW = (
    click.option("--modality", default="CR,DX", show_default=True, help="Modalities, separated by commas."),
    click.option(
        "--via",
        type=click.Choice(["auto", "wado", "get", "move"]),
        default="auto",
        show_default=True,
        help="The protocol: DICOMweb, C-GET, or C-MOVE to our `wetread listen`.",
    ),
    click.option(
        "--pace",
        type=click.FloatRange(min=0, min_open=True),
        help="At most so many films a minute.  [default: no limit]",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1, 16),
        default=2,
        show_default=True,
        help="Requests to the peer at the same time.",
    ),
    click.option("--title", default="WETREAD", show_default=True, help="The AE title by which we call."),
)

SPOOL = click.option(
    "--spool",
    type=click.Path(file_okay=False),
    metavar="DIR",
    shell_complete=directories,
    help="The folder for fetched films.  [default: spool under WETREAD_HOME]",
)


def day_of(moment: datetime | None) -> date | None:
    """Return the day of an option."""
    return None if moment is None else moment.date()
