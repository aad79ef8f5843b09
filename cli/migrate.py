"""`wetread migrate`: bring the database to this program's schema."""

from __future__ import annotations

import click

from cli.context import opened_registry
from cli.output import say


@click.command()
def migrate() -> None:
    """Bring the database to this program's schema, or make an empty one; registers the model that ships too.

    Every command that writes does so when it begins; a question changes nothing, and asks for this.

    \b
    Example:
      wetread migrate
    """
    from wetread.store.core.migrating import HEAD

    with opened_registry() as registry:
        registry.models()
    say(f"the database is at schema {HEAD}")
