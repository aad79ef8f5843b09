"""Options of `wetread pull`: which films, by which protocol, and at what pace."""

from __future__ import annotations

from datetime import date, datetime

import click

from cli.completing import directories

DAY = click.DateTime(["%Y-%m-%d"])

HOW = (
    click.option("--modality", default="CR,DX", show_default=True, help="Modalities, parted by commas."),
    click.option(
        "--via", type=click.Choice(["auto", "wado", "get", "move"]), default="auto", show_default=True,
        help="How: DICOMweb, C-GET, or C-MOVE to our `wetread listen`.",
    ),
    click.option("--pace", type=click.FloatRange(min=0, min_open=True), help="Films a minute at most.  [default: any]"),
    click.option(
        "--connections", type=click.IntRange(1, 16), default=2, show_default=True, help="To the peer, at once."
    ),
    click.option("--title", default="WETREAD", show_default=True, help="The AE title by which we call."),
)  # fmt: skip

SPOOL = click.option(
    "--spool", type=click.Path(file_okay=False), metavar="DIR", shell_complete=directories,
    help="Where films are kept.  [default: spool under WETREAD_HOME]",
)  # fmt: skip


def day_of(moment: datetime | None) -> date | None:
    """Return the day of an option."""
    return None if moment is None else moment.date()
