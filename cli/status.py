"""`wetread status`: where a run stands."""

from __future__ import annotations

import time

import click

from cli.context import opened_database
from cli.output import emit_json
from cli.run_number import RUN_NUMBER
from schemas.states import RunState

WATCH_SECONDS = 1.0


@click.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--watch", is_flag=True, help="Show it until the run ends.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(run: int | None, watch: bool, as_json: bool) -> None:
    """Show where a run stands: the latest, or the one with this number.

    \b
    Example:
      wetread status --json
      wetread status 12 --watch
    """
    from cli.accounts import account_json, account_pace, show_account
    from cli.progress import RunProgress
    from wetread.store.accounts import run_account

    with opened_database() as (_, database):
        with database.reading() as session:
            account = run_account(session, run)
        if watch:
            with RunProgress() as progress:
                while account.state == RunState.RUNNING:
                    progress(account)
                    time.sleep(WATCH_SECONDS)
                    with database.reading() as session:
                        account = run_account(session, account.id)
                progress(account)
    rate, seconds = account_pace(account)
    if as_json:
        emit_json(account_json(account, images_per_second=rate, seconds=seconds))
    else:
        show_account(account, images_per_second=rate, seconds=seconds)
