"""`wetread readers`: manages who may sign in to the reading room."""

from __future__ import annotations

import secrets
import sys

import click

from cli.context import asked_database, opened_database
from cli.output import emit_json, emit_table, say
from schemas.errors import UsageError

ROLES = ("look", "review", "manage")
"""As in schemas.reader_tables, which help must not import; a test holds the two equal."""

_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def readers() -> None:
    """Manage who may sign in to the reading room, `wetread web`.

    \b
    Example:
      wetread readers add "Dr. Roe"
      wetread readers list
    """


@readers.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default="review", show_default=True,
    help="look: see films and reviews; review: say what they see, too; manage: cancel runs, too.",
)  # fmt: skip
@click.option(
    "--no-password", is_flag=True, help="They sign in at a proxy (web --user-header), and here by no password."
)
@_STDIN
def add(name: str, role: str, no_password: bool, password_stdin: bool) -> None:
    """Add a reader; asks twice for the password.

    \b
    Example:
      wetread readers add "Dr. Roe" --role review
      wetread readers add "Dr. Doe" --role look --password-stdin
      wetread readers add roe@hospital.example --no-password
    """
    from wetread.clock import utc_now
    from wetread.store.readers.readers import add_reader

    if no_password and password_stdin:
        raise UsageError("expected --no-password or --password-stdin, found both")
    # One that nobody was told opens nothing: the column holds a key of it all the same.
    password = secrets.token_urlsafe(32) if no_password else _password(asked=not password_stdin)
    with opened_database() as (_, database), database.writing() as session:
        add_reader(session, name, role, password, utc_now())
    say(f"{name} may sign in, to {role}; `wetread web` opens the reading room")


@readers.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(as_json: bool) -> None:
    """List the readers, disabled ones included.

    \b
    Example:
      wetread readers list
    """
    from wetread.clock import utc_text
    from wetread.store.readers.readers import list_readers

    with asked_database() as (_, database), database.reading() as session:
        found = list_readers(session)
    if as_json:
        emit_json([
            {
                "name": one.name, "role": one.role, "created_at": utc_text(one.created_at),
                "disabled_at": utc_text(one.disabled_at),
            }
            for one in found
        ])  # fmt: skip
        return
    rows = [(one.name, one.role, utc_text(one.created_at), utc_text(one.disabled_at)) for one in found]
    emit_table(("name", "role", "created", "disabled"), rows)


@readers.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable a reader, end their sessions and revoke their tokens at once; their reviews stay.

    \b
    Example:
      wetread readers disable "Dr. Roe"
    """
    from wetread.clock import utc_now
    from wetread.store.readers.readers import disable_reader

    with opened_database() as (_, database), database.writing() as session:
        tokens = disable_reader(session, name, utc_now())
    say(f"{name} may sign in no more; {tokens} of their tokens revoked")


@readers.command("password")
@click.argument("name")
@_STDIN
def change(name: str, password_stdin: bool) -> None:
    """Set a new password, end the reader's sessions and revoke their tokens; a disabled reader may sign in again.

    \b
    Example:
      wetread readers password "Dr. Roe"
    """
    from wetread.clock import utc_now
    from wetread.store.readers.readers import change_password

    password = _password(asked=not password_stdin)
    with opened_database() as (_, database), database.writing() as session:
        tokens = change_password(session, name, password, utc_now())
    say(f"{name} signs in by the new password; {tokens} of their tokens revoked, `wetread tokens add` makes new ones")


def _password(*, asked: bool) -> str:
    if asked:
        if not sys.stdin.isatty():
            raise UsageError("expected a terminal to ask for the password, found none; give --password-stdin")
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
