"""`wetread send`: sends readings back to a PACS as Structured Reports."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import click

from cli.completing import MODEL, labels, peers
from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.output import emit_json, emit_table, say, warn
from cli.pull_options import DAY
from schemas.errors import EXIT_DONE, EXIT_FAILURE_RATE, EXIT_INTERRUPTED


@click.command()
@click.argument("peer", shell_complete=peers)
@click.option(
    "--only",
    "decisions",
    multiple=True,
    shell_complete=labels,
    help="Only readings with this decision; may be given again.",
)
@click.option("--since", type=DAY, metavar="DAY", help="Only readings made on this day (UTC) or later.")
@click.option("--model", type=MODEL, default="production", show_default=True, help="Whose readings.")
@click.option(
    "--via",
    type=click.Choice(["auto", "stow", "store"]),
    default="auto",
    show_default=True,
    help="The protocol: STOW-RS or C-STORE.",
)
@click.option("--title", default="WETREAD", show_default=True, help="The AE title by which we call.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent; send and record nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def send(
    ctx: click.Context,
    peer: str,
    decisions: tuple[str, ...],
    since: datetime | None,
    model: str,
    via: Any,
    title: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send readings to a PACS, as Structured Reports.

    Those of films that came over the network, by `wetread listen` or `pull`. Each is unverified, preliminary and says
    that it is not for diagnostic use. Off until `wetread peers edit PEER --readings`. A report is sent once: whether
    one without an answer arrived is asked of the PACS first. Exit 3 where one failed; 4 where the PACS is away, and the
    same command goes on.

    \b
    Example:
      wetread peers edit pacs --readings
      wetread send pacs --dry-run
      wetread send pacs --only covid --since 2026-11-01
    """
    from cli.pacs_extra import check_pacs

    check_pacs()
    from gateway.calling.patience import AskedToStop
    from gateway.sending.report import report_uid
    from gateway.sending.sending import Sending
    from wetread.models.registry import Registry
    from wetread.store.received.deliveries import Wish, count_deliveries
    from wetread.store.results.filters import Filters
    from wetread.store.results.known_values import known_decisions
    from wetread.views.asked_values import refuse_unknown

    with opened_database() as (settings, database), noted_interrupts() as asked:
        digest = Registry(database, settings.models_directory).resolve(model).digest
        with database.reading() as session:
            known = known_decisions(session, Filters(model_digest=digest))
        for decision in decisions:
            refuse_unknown("--only", decision, known)
        wish = Wish(digest, decisions, None if since is None else since.replace(tzinfo=UTC))
        stop = threading.Event()
        sending = Sending.open(database, settings, peer, via, title, stop)
        if dry_run:
            found = sending.wished(wish)
            if as_json:
                emit_json([
                    {"film": one.instance_uid, "decision": one.decision, "report": report_uid(one)} for one in found
                ])  # fmt: skip
            else:
                emit_table(("decision", "reports"), sorted(Counter(one.decision for one in found).items()))
            say("nothing was sent: this is a dry run, and has what was sent before, too")
            ctx.exit(EXIT_DONE)
        say(f"{sending.write(wish)} new reports for {peer}")
        threading.Thread(target=_pass_on, args=(asked, stop), daemon=True).start()
        is_stopped = False
        try:
            sending.send()
        except AskedToStop:
            is_stopped = True
        with database.reading() as session:
            counts = count_deliveries(session, peer)
    if as_json:
        emit_json({"peer": peer} | counts)
    else:
        emit_table((f"deliveries to {peer}", "reports"), list(counts.items()))
    if is_stopped:
        say("interrupted; nothing is lost: the same command goes on")
        ctx.exit(EXIT_INTERRUPTED)
    if counts["failed"]:
        warn(f"{counts['failed']} reports failed: `wetread deliveries list {peer} --state failed` says why")
    ctx.exit(EXIT_FAILURE_RATE if counts["failed"] else EXIT_DONE)


def _pass_on(asked: threading.Event, stop: threading.Event) -> None:
    """Stop between two reports when asked to: only a plain event wakes who waits for a peer."""
    asked.wait()
    stop.set()
