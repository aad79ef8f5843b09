"""`wetread spool`: what lies in the spool of films that came over the network."""

from __future__ import annotations

from typing import Any

import click

from cli.context import asked_database
from cli.output import emit_json, emit_table
from cli.pull_options import SPOOL


@click.group()
def spool() -> None:
    """Look after the spool, where received and fetched films lie.

    \b
    Example:
      wetread spool prune --days 90 --dry-run
    """


@spool.command()
@click.option("--days", type=click.FloatRange(min=0, min_open=True), required=True, help="Received so long ago.")
@SPOOL
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def prune(days: float, spool: Any, dry_run: bool, as_json: bool) -> None:
    """Remove old films from the spool, but those that are needed yet.

    A film stays that is yet to be read, or of which a report is pending, sent and not known to be there, or failed:
    `wetread deliveries` says which. What was read stays known; a film that comes again is kept again.

    \b
    Example:
      wetread spool prune --days 90
    """
    import os
    from datetime import timedelta

    from gateway.receiving.removing import remove_old
    from gateway.receiving.spool import FETCHING, FILMS, Spool
    from schemas.errors import UsageError
    from wetread.clock import utc_now
    from wetread.store.roots.adding import ids_of_roots

    with asked_database() as (settings, database):
        directory = os.path.realpath(os.fsencode(spool or settings.home / "spool"))
        with database.reading() as session:
            roots = ids_of_roots(session, [os.path.join(directory, FILMS)])
        if not roots or not os.path.isdir(directory):
            raise UsageError("expected a spool that films came into, found none; name it by --spool")
        place = Spool(directory, FETCHING)
        try:
            counts = remove_old(database, place, roots[0], utc_now() - timedelta(days=days), dry_run=dry_run)
        finally:
            place.close()
    rows = {name: counts[name] for name in ("removed", "kept for reading", "kept for a delivery")}
    if as_json:
        emit_json({"dry_run": dry_run} | {name.replace(" ", "_"): count for name, count in rows.items()})
        return
    emit_table(("would be" if dry_run else "films", "number"), list(rows.items()))
