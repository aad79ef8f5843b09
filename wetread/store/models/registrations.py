"""Stores registered models, the decision in force for each, and aliases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from schemas.promotion_tables import AliasChange
from schemas.tables import Model, ModelAlias, StoredDecision


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered model. Its digest was recorded when its files were checked: it is what they are held to.

    directory: relative to the models' folder, or "shipped:NAME" for one that came with the program.
    labels: in the order of the logits. decision_digest: of the decision in force.
    """

    digest: str
    name: str
    version: int
    directory: str
    labels: tuple[str, ...]
    decision_digest: str
    registered_at: datetime

    @property
    def reference(self) -> str:
        """NAME@VERSION."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class DecisionValues:
    """A decision record as stored; wetread.models.decision says what it means."""

    digest: str
    model_digest: str
    temperature: float
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AliasMove:
    """One move of an alias. previous_digest: None when the alias was new.

    accepted_audit: why the model was taken although the audit of its data found that unsafe; None where it did not.
    accepted_evaluation: why it was taken although no figures speak for it, or some against it.
    rolled_back: it took the last promotion back.
    """

    alias: str
    model_digest: str
    previous_digest: str | None
    changed_at: datetime
    accepted_audit: str | None = None
    accepted_evaluation: str | None = None
    rolled_back: bool = False


def list_registrations(session: Session) -> list[Registration]:
    """Return every registered model, by name, oldest version first."""
    rows = session.scalars(select(Model).order_by(Model.name, Model.version))
    return [_registration(row) for row in rows]


def find_registration(session: Session, digest: str) -> Registration | None:
    """Return the model with this digest; None when it is not registered."""
    row = session.get(Model, digest)
    return None if row is None else _registration(row)


def register(session: Session, registration: Registration, decision: DecisionValues) -> Registration | None:
    """Record a model whose files were checked, with its decision, and return it.

    A digest is registered once: the second time, what was registered first is returned. None when another
    model has this name and version, and nothing is recorded.
    """
    _one_at_a_time(session)
    if (known := find_registration(session, registration.digest)) is not None:
        return known
    same = select(Model.digest).where(Model.name == registration.name, Model.version == registration.version)
    if session.scalar(same) is not None:
        return None
    keep_decision(session, decision)
    session.add(
        Model(
            digest=registration.digest,
            name=registration.name,
            version=registration.version,
            directory=registration.directory,
            labels=list(registration.labels),
            decision_digest=decision.digest,
            registered_at=registration.registered_at,
        )
    )
    session.flush()
    return registration


def keep_decision(session: Session, decision: DecisionValues) -> None:
    """Record a decision that is not recorded yet."""
    if session.get(StoredDecision, decision.digest) is None:
        session.add(
            StoredDecision(
                digest=decision.digest,
                model_digest=decision.model_digest,
                temperature=decision.temperature,
                thresholds=dict(decision.thresholds),
            )
        )
        session.flush()


def read_decision(session: Session, digest: str) -> DecisionValues | None:
    """Return the decision record with this digest; None when there is none."""
    row = session.get(StoredDecision, digest)
    return None if row is None else DecisionValues(row.digest, row.model_digest, row.temperature, row.thresholds)


def read_aliases(session: Session) -> dict[str, str]:
    """Return alias -> model digest."""
    return {row.alias: row.model_digest for row in session.scalars(select(ModelAlias).order_by(ModelAlias.alias))}


def move_alias(
    session: Session,
    alias: str,
    model_digest: str,
    changed_at: datetime,
    *,
    default: str | None = None,
    accepted_audit: str | None = None,
    accepted_evaluation: str | None = None,
    rolled_back: bool = False,
) -> AliasMove:
    """Point `alias` at a model, record the move, and return it; a move to where it points records nothing.

    default: the digest that the alias meant before it was ever moved, to which it can be rolled back.
    rolled_back: the move takes the last promotion back.
    """
    _one_at_a_time(session)
    row = session.get(ModelAlias, alias)
    previous = row.model_digest if row is not None else default
    if row is None:
        session.add(ModelAlias(alias=alias, model_digest=model_digest))
    else:
        row.model_digest = model_digest
    if previous != model_digest:
        session.add(
            AliasChange(
                alias=alias,
                model_digest=model_digest,
                previous_digest=previous,
                changed_at=changed_at,
                accepted_audit=accepted_audit,
                accepted_evaluation=accepted_evaluation,
                rolled_back=rolled_back,
            )
        )
    session.flush()
    return AliasMove(alias, model_digest, previous, changed_at, accepted_audit, accepted_evaluation, rolled_back)


def alias_moves(session: Session, alias: str) -> list[AliasMove]:
    """Return the moves of an alias, the latest first."""
    rows = session.scalars(select(AliasChange).where(AliasChange.alias == alias).order_by(AliasChange.id.desc()))
    return [
        AliasMove(
            row.alias, row.model_digest, row.previous_digest, row.changed_at, row.accepted_audit,
            row.accepted_evaluation, row.rolled_back,
        )
        for row in rows
    ]  # fmt: skip


def read_accepted_audit(session: Session, model_digest: str) -> str | None:
    """Return the reason last given for taking this model in spite of its audit; None when none was."""
    rows = select(AliasChange.accepted_audit).where(
        AliasChange.model_digest == model_digest, AliasChange.accepted_audit.is_not(None)
    )
    return session.scalar(rows.order_by(AliasChange.id.desc()).limit(1))


def _one_at_a_time(session: Session) -> None:
    """Let one transaction at a time look for what is free and then take it; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE models IN SHARE ROW EXCLUSIVE MODE"))


def _registration(row: Model) -> Registration:
    return Registration(
        row.digest, row.name, row.version, row.directory, tuple(row.labels), row.decision_digest, row.registered_at
    )
