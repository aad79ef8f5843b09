"""Looks up a model for one question, without making, migrating or writing a database."""

from __future__ import annotations

import os
from dataclasses import replace

from schemas.errors import NoDatabase
from wetread.clock import utc_now
from wetread.models.artefact import Artefact, load_artefact
from wetread.models.decision_in_force import decision_in_force
from wetread.models.folder import ModelsFolder
from wetread.models.references import find_reference, with_shipped
from wetread.models.shipped import SHIPPED, shipped_directory, shipped_location
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.migrating import check_schema
from wetread.store.models import registrations
from wetread.store.models.map_checks import KeptMapCheck, latest_map_checks
from wetread.store.models.registrations import Registration


def look_up_model(settings: Settings, reference: str) -> tuple[Registration, Artefact]:
    """Return the model that `reference` names and its checked files, with the decision in force for it.

    Without a database these are the models that come with the program. Raises UsageError where there is no such model,
    ArtefactError where it was altered, ServiceUnavailable where the database does not answer or is of another schema.
    """
    try:
        database = Database(settings.database, asked=True)
        try:
            check_schema(database)
            return _look_up(settings, reference, database)
        finally:
            database.dispose()
    except NoDatabase:
        return _look_up(settings, reference, None)


def known_map_checks(settings: Settings, digest: str) -> dict[str, KeptMapCheck]:
    """Return what was found last of each method of making maps of this model; nothing without a database."""
    database = Database(settings.database, asked=True)
    try:
        check_schema(database)
        with database.reading() as session:
            return latest_map_checks(session, digest)
    except NoDatabase:
        return {}
    finally:
        database.dispose()


def _look_up(settings: Settings, reference: str, database: Database | None) -> tuple[Registration, Artefact]:
    models, aliases = _registered(database)
    known = {model.digest for model in models}
    shipped = [_shipped(name, digest) for name, digest in SHIPPED.items() if digest not in known]
    registration = find_reference(reference, [*shipped, *models], with_shipped(aliases))
    folder = ModelsFolder(os.path.abspath(settings.models_directory))
    artefact = load_artefact(folder.locate(registration), trusted_digest=registration.digest)
    if database is None or registration.digest not in known:
        return registration, artefact
    return registration, replace(artefact, decision=decision_in_force(database, registration, artefact))


def _registered(database: Database | None) -> tuple[list[Registration], dict[str, str]]:
    if database is None:
        return [], {}
    with database.reading() as session:
        return registrations.list_registrations(session), registrations.read_aliases(session)


def _shipped(name: str, digest: str) -> Registration:
    """Return a shipped model as it would be registered."""
    artefact = load_artefact(shipped_directory(name), trusted_digest=digest)
    card, decision = artefact.card, artefact.decision
    return Registration(digest, name, card.version, shipped_location(name), card.labels, decision.digest, utc_now())
