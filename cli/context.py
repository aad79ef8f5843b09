"""Opens what a command works with: settings, the database at this program's schema, the registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wetread.models.registry import Registry
    from wetread.settings import Settings
    from wetread.store.core.database import Database


@contextmanager
def opened_database() -> Iterator[tuple[Settings, Database]]:
    """Give the settings and the database, migrated where that is safe; close it at the end."""
    from wetread.settings import load_settings
    from wetread.store.core.database import Database
    from wetread.store.core.migrating import ensure_schema

    settings = load_settings()
    database = Database(settings.database)
    try:
        ensure_schema(database)
        yield settings, database
    finally:
        database.dispose()


@contextmanager
def asked_database() -> Iterator[tuple[Settings, Database]]:
    """Give the settings and the database for a question: nothing is made, migrated or written; close it at the end.

    Raises ServiceUnavailable where there is no database, or one of another schema.
    """
    from wetread.settings import load_settings
    from wetread.store.core.database import Database
    from wetread.store.core.migrating import check_schema

    settings = load_settings()
    database = Database(settings.database, asked=True)
    try:
        check_schema(database)
        yield settings, database
    finally:
        database.dispose()


@contextmanager
def asked_registry() -> Iterator[Registry]:
    """Give the registry of models for a question, which registers nothing."""
    from wetread.models.registry import Registry

    with asked_database() as (settings, database):
        yield Registry(database, settings.models_directory)


@contextmanager
def opened_registry() -> Iterator[Registry]:
    """Give the registry of models."""
    from wetread.models.registry import Registry

    with opened_database() as (settings, database):
        yield Registry(database, settings.models_directory)
