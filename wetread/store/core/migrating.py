"""Brings a database to this program's schema, under a lock, and refuses one that is newer.

Every process that writes calls `ensure_schema` when it starts, and one that asks `check_schema`. Where the schema is
this program's already that is one SELECT; alembic is imported only when there is something to do.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from schemas.errors import NoDatabase, ServiceUnavailable
from wetread.settings import safe_url
from wetread.store.core.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0026"
"""The newest revision under migrations/versions; a test holds it."""

ADVISORY_LOCK = 0x77657472
"""PostgreSQL's advisory lock that one migration at a time holds; the number is arbitrary and ours."""


def alembic_config(connection: Connection | None = None) -> Config:
    """Return alembic's configuration for our migrations, on `connection`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "wetread.store:migrations")
    config.attributes["connection"] = connection
    return config


def ensure_schema(database: Database) -> None:
    """Migrate `database` when it is empty or older; raise ServiceUnavailable when it is newer.

    Migrations add and never take away what the previous version reads, so that workers of both versions
    can serve while a site upgrades.
    """
    with database.reading() as session:
        revision = _revision(session.connection())
    if revision == HEAD:
        return
    with database.connecting() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        revision = _revision(connection)
        if revision == HEAD:
            return
        _migrate(connection, revision)


def check_schema(database: Database) -> None:
    """Raise ServiceUnavailable where `database` is not at this program's schema, NoDatabase where it is empty.

    For questions, which change nothing.
    """
    revision = schema_revision(database)
    if revision == HEAD:
        return
    if revision is None:
        raise NoDatabase(
            f"no database at {safe_url(database.url)}: it is there, and empty; `wetread screen DIR` fills it"
        )
    if not is_older(revision):
        raise ServiceUnavailable(
            f"expected a database at schema {HEAD}, found {revision}: a newer wetread made it; upgrade this program"
        )
    raise ServiceUnavailable(
        f"expected a database at schema {HEAD}, found {revision}, which an older wetread made: `wetread migrate`, as "
        "its owner, brings it to this one; a question changes nothing"
    )


def is_older(revision: str) -> bool:
    """Return whether this program can migrate from `revision`; an unknown revision is a newer program's."""
    steps = resources.files("wetread.store").joinpath("migrations", "versions").iterdir()
    return revision != HEAD and any(step.name.startswith(f"{revision}_") for step in steps)


def schema_revision(database: Database) -> str | None:
    """Return the revision the database is at; None when it is empty."""
    with database.reading() as session:
        return _revision(session.connection())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _migrate(connection: Connection, revision: str | None) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = alembic_config(connection)
    if revision is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(revision)
        except CommandError as error:
            raise ServiceUnavailable(
                f"expected a database at schema {HEAD} or older, found {revision}: a newer wetread made it; "
                "upgrade this program"
            ) from error
    command.upgrade(config, "head")
