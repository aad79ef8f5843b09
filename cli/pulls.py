"""`wetread pulls`: what was fetched from PACS."""

from __future__ import annotations

import click

from cli.completing import peers
from cli.context import asked_database
from cli.output import emit_json, emit_table
from cli.run_number import LARGEST


@click.command()
@click.argument("peer", required=False, shell_complete=peers)
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=LARGEST - 1),
    default=50,
    show_default=True,
    help="How many to list, the latest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def pulls(peer: str | None, limit: int, as_json: bool) -> None:
    """List pulls from PACS and how many films are missing, newest first.

    \b
    Example:
      wetread pulls
      wetread pulls pacs --json
    """
    from wetread.store.received.pulls import list_pulls
    from wetread.views.pulls import pull_json

    with asked_database() as (_, database), database.reading() as session:
        rows = [pull_json(row) for row in list_pulls(session, peer, limit=limit)]
    if as_json:
        emit_json(rows)
        return
    columns = (
        "pull", "peer", "via", "since", "until", "state", "asked", "pending", "received", "failed", "gone", "not_wanted"
    )  # fmt: skip
    emit_table(columns, [[row[column] for column in columns] for row in rows], drop=("via", "until", "since"))
