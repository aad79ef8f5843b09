"""`wetread tokens`: which programs may ask the HTTP API of the reading room."""

from __future__ import annotations

from datetime import timedelta

import click

from cli.context import asked_database, opened_database
from cli.output import emit_json, emit_table, say
from cli.readers import ROLES


@click.group()
def tokens() -> None:
    """Say which programs may ask the HTTP API of `wetread web`, and as whom.

    \b
    Example:
      wetread tokens add notebook --reader "Dr. Roe"
      wetread tokens list
    """


@tokens.command()
@click.argument("name")
@click.option("--reader", required=True, help="As whom the program asks; what it says is this reader's.")
@click.option(
    "--role", type=click.Choice(ROLES), default="look", show_default=True,
    help="look: ask; review: say what the reader sees, too; manage: start and cancel runs, too.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3650), help="It ends after so many days.  [default: when revoked]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(name: str, reader: str, role: str, days: int | None, as_json: bool) -> None:
    """Let a program ask, and print its secret, which is shown this once and kept as a hash alone.

    \b
    Example:
      wetread tokens add notebook --reader "Dr. Roe" > notebook.token
      wetread tokens add portal --reader portal --role manage --days 90
    """
    from wetread.clock import utc_now
    from wetread.store.readers.tokens import add_token

    now = utc_now()
    ends = None if days is None else now + timedelta(days=days)
    with opened_database() as (_, database), database.writing() as session:
        secret = add_token(session, name, reader, role, now, ends)
    if as_json:
        emit_json({"name": name, "reader": reader, "role": role, "token": secret})
    else:
        click.echo(secret)
    say(f"{name} may ask as {reader}, to {role}: Authorization: Bearer and this secret, which is shown this once")


@tokens.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(as_json: bool) -> None:
    """List the tokens, those that were revoked too; no secret is among it.

    \b
    Example:
      wetread tokens list
    """
    from wetread.clock import utc_text
    from wetread.store.readers.tokens import list_tokens

    with asked_database() as (_, database), database.reading() as session:
        rows = [
            {
                "name": one.name, "reader": one.reader, "role": one.role, "created_at": utc_text(one.created_at),
                "ends_at": utc_text(one.ends_at), "revoked_at": utc_text(one.revoked_at),
            }
            for one in list_tokens(session)
        ]  # fmt: skip
    if as_json:
        emit_json(rows)
        return
    columns = ("name", "reader", "role", "created_at", "ends_at", "revoked_at")
    emit_table(columns, [[row[column] for column in columns] for row in rows])


@tokens.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Let a program ask no more, at once.

    \b
    Example:
      wetread tokens revoke notebook
    """
    from wetread.clock import utc_now
    from wetread.store.readers.tokens import revoke_token

    with opened_database() as (_, database), database.writing() as session:
        revoke_token(session, name, utc_now())
    say(f"{name} may ask no more")
