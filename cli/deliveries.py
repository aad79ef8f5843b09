"""`wetread deliveries`: what was sent to PACS, and what became of it."""

from __future__ import annotations

import click

from cli.completing import peers
from cli.context import asked_database, opened_database
from cli.output import emit_json, emit_table, say
from cli.run_number import LARGEST
from schemas.states import DeliveryState


@click.group()
def deliveries() -> None:
    """List deliveries to PACS, and retry failed ones.

    \b
    Example:
      wetread deliveries list pacs --state failed
      wetread deliveries retry pacs
    """


@deliveries.command("list")
@click.argument("peer", required=False, shell_complete=peers)
@click.option("--state", type=click.Choice([str(state) for state in DeliveryState]), help="Only those in this state.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=LARGEST - 1),
    default=50,
    show_default=True,
    help="How many to list, the latest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(peer: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List deliveries, newest first.

    \b
    Example:
      wetread deliveries list --json
    """
    from wetread.clock import utc_text
    from wetread.store.received.deliveries import list_deliveries

    with asked_database() as (_, database), database.reading() as session:
        found = list_deliveries(session, peer, state, limit=limit)
    if as_json:
        emit_json([
            {
                "peer": one.peer, "film": one.instance_uid, "report": one.report_uid,
                "predecessor": one.predecessor_uid, "decision": one.decision, "state": str(one.state),
                "attempts": one.attempts, "why": one.why, "created_at": utc_text(one.created_at),
                "settled_at": utc_text(one.settled_at),
            }
            for one in found
        ])  # fmt: skip
        return
    columns = ("peer", "film", "decision", "state", "attempts", "why")
    emit_table(columns, [[one.peer, one.instance_uid, one.decision, one.state, one.attempts, one.why] for one in found])


@deliveries.command()
@click.argument("peer", shell_complete=peers)
def retry(peer: str) -> None:
    """Retry failed deliveries at the next `wetread send`, which asks first whether the report is there.

    \b
    Example:
      wetread deliveries retry pacs
    """
    from wetread.store.received.deliveries import change_all

    with opened_database() as (_, database), database.writing() as session:
        count = change_all(session, peer, (DeliveryState.FAILED,), DeliveryState.PENDING, None)
    say(f"{count} are pending again; `wetread send {peer}` sends them")


@deliveries.command()
@click.argument("peer", shell_complete=peers)
def cancel(peer: str) -> None:
    """Cancel pending or failed deliveries: they are not sent, and not recorded again.

    \b
    Example:
      wetread deliveries cancel pacs
    """
    from wetread.store.received.deliveries import change_all

    states = (DeliveryState.PENDING, DeliveryState.FAILED)
    with opened_database() as (_, database), database.writing() as session:
        count = change_all(session, peer, states, DeliveryState.CANCELLED, "given up by hand")
    say(f"{count} are cancelled")
