"""Looks up the decision in force for a model, and checks it against the model."""

from __future__ import annotations

from schemas.errors import ArtefactError
from wetread.models.artefact import Artefact
from wetread.models.decision import Decision
from wetread.store.core.database import Database
from wetread.store.models import registrations
from wetread.store.models.registrations import Registration


def decision_in_force(database: Database, registration: Registration, artefact: Artefact) -> Decision:
    """Return the decision record in the database; raise ArtefactError when the database was altered."""
    with database.reading() as session:
        values = registrations.read_decision(session, registration.decision_digest)
    decision = None if values is None else Decision(values.model_digest, values.temperature, values.thresholds)
    if (
        decision is None
        or decision.digest != registration.decision_digest
        or decision.model_digest != registration.digest
        or registration.labels != artefact.card.labels
    ):
        raise ArtefactError(
            f"model {registration.reference}: expected the labels of its card and decision record "
            f"{registration.decision_digest} in the database, found others; restore the database from a backup"
        )
    return decision


def is_decision_known(database: Database, artefact: Artefact) -> bool:
    """Return whether the decision that the model's files have is registered."""
    with database.reading() as session:
        return registrations.read_decision(session, artefact.decision.digest) is not None
