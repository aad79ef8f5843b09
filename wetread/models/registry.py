"""The registry of models: registers, verifies, promotes and rolls back.

The database knows every model by its digest; the files lie in the models' folder of each machine, or in
the program itself for a shipped model. A version is immutable, and a model whose files no longer have the
registered digest is refused.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.errors import ArtefactError, RightsMissing, UsageError
from wetread.clock import utc_now
from wetread.models.artefact import (
    CARD_FILE,
    Artefact,
    ModelContents,
    copy_artefact,
    load_artefact,
    save_artefact,
    verify_artefact,
)
from wetread.models.card import checked_name
from wetread.models.decision_in_force import decision_in_force, is_decision_known
from wetread.models.folder import ModelsFolder
from wetread.models.model_comparison import MeasuredFigures, ModelStanding, measured_of, standing_of
from wetread.models.promotion import model_before, reason_for_audit, reason_for_figures
from wetread.models.references import PRODUCTION, RESERVED, SHIPPED_ALIAS, find_reference
from wetread.models.shipped import ACCEPTED_AUDITS, SHIPPED, shipped_directory, shipped_location
from wetread.store.core.database import Database
from wetread.store.models import registrations
from wetread.store.models.registrations import AliasMove, DecisionValues, Registration


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A registered model, its aliases, and its folder on this machine; None where its files are not here."""

    registration: Registration
    aliases: tuple[str, ...]
    directory: str | None


class Registry:
    """The models in `database`, with their files under `directory` on this machine. now: for tests."""

    def __init__(
        self, database: Database, directory: str | os.PathLike[str], *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._folder = ModelsFolder(os.path.abspath(directory))
        self._now = now
        self._knows_shipped = False

    def models(self) -> list[ListedModel]:
        """Return every model, by name, oldest version first."""
        models, aliases = self._known()
        return [
            ListedModel(
                model,
                tuple(alias for alias, digest in aliases.items() if digest == model.digest),
                self._folder.find(model),
            )
            for model in models
        ]

    def resolve(self, reference: str) -> Registration:
        """Return the model that `reference` names, as wetread.models.references says; raise UsageError if none."""
        return find_reference(reference, *self._known())

    def open(self, digest: str) -> Artefact:
        """Return the checked model with this digest, with the decision that is in force for it.

        Raises UsageError when it is not registered or its files are not on this machine, ArtefactError
        when they, or what the database says of them, are not what was registered.
        """
        self._register_shipped()
        with self._database.reading() as session:
            registration = registrations.find_registration(session, digest)
        if registration is None:
            raise UsageError(f"expected a registered model with digest {digest}, found none; run 'wetread models list'")
        artefact = load_artefact(self._folder.locate(registration), trusted_digest=digest)
        return replace(artefact, decision=decision_in_force(self._database, registration, artefact))

    def locate(self, registration: Registration) -> str:
        """Return the model's folder on this machine; raise UsageError, with the cure, when it is not here."""
        return self._folder.locate(registration)

    def verify(self, reference: str) -> Registration:
        """Hash every file of the model and return it; raise ArtefactError when a file is not as registered."""
        registration = self.resolve(reference)
        artefact = verify_artefact(self._folder.locate(registration), trusted_digest=registration.digest)
        decision_in_force(self._database, registration, artefact)
        if not is_decision_known(self._database, artefact):
            raise ArtefactError(
                f"decision.json of {registration.reference}: expected a registered record, found "
                f"{artefact.decision.digest}; it was altered: fetch the model again"
            )
        return registration

    def publish(self, contents: ModelContents) -> Registration:
        """Keep a newly trained model as the next version of its name, and return it.

        A model with the same digest is the same model: then the one that is registered is returned.
        """
        with self._folder.incoming() as path:
            save_artefact(path, contents)
            return self._add(path, None)

    def register(self, source: str | os.PathLike[str]) -> Registration:
        """Verify the artefact in the folder `source`, copy it into the models' folder, and return its registration.

        It keeps its version where that is free, and is the next of its name otherwise. Of a model that is
        registered already, the files are copied where this machine lacks them. Raises UsageError when
        there is no model.json, ArtefactError when what is there is no whole model.
        """
        if not os.path.lexists(os.path.join(source, CARD_FILE)):
            raise UsageError(f"expected a model's folder with {CARD_FILE}, found none in {os.fspath(source)}")
        return self._add(source, load_artefact(source).card.version)

    def export(self, reference: str, directory: str | os.PathLike[str]) -> Registration:
        """Write a verified copy of the model as the new folder `directory`, to be imported elsewhere.

        Its decision is the one in force here.
        """
        registration = self.verify(reference)
        decision = self.open(registration.digest).decision
        copy_artefact(self._folder.locate(registration), directory, version=registration.version, decision=decision)
        return registration

    def promote(
        self,
        reference: str,
        alias: str = PRODUCTION,
        *,
        accept_audit: str | None = None,
        accept_evaluation: str | None = None,
        back: bool = False,
    ) -> AliasMove:
        """Point `alias` at a model that has just been verified, and return the move.

        accept_audit: why the model may serve although the audit of its training data found that unsafe.
        accept_evaluation: why it may although no figures on films that it did not learn from are known, or it was
        found worse than what the alias means now. Both are kept with the move. back: to a model that has served, of
        which no figures are asked for. A shipped model comes with its own reason.
        Raises UnsafeError where one of them is wanted and not given.
        """
        models, aliases = self._known()
        if checked_name(alias) == SHIPPED_ALIAS or alias in {model.name for model in models}:
            raise UsageError(f"alias {alias!r}: expected a name that no model has, and not {SHIPPED_ALIAS!r}")
        registration = self.verify(reference)
        findings = self.open(registration.digest).card.provenance.unsafe_findings
        reason = reason_for_audit(registration, findings, accept_audit or self._shipped_with(registration.digest))
        why = (accept_evaluation or "").strip() or None
        if not back and aliases.get(alias) != registration.digest:
            why = reason_for_figures(self.standing(reference, alias), why)
        with self._database.writing() as session:
            return registrations.move_alias(
                session,
                alias,
                registration.digest,
                self._now(),
                default=aliases.get(alias),
                accepted_audit=reason,
                accepted_evaluation=why,
                rolled_back=back,
            )

    def standing(self, reference: str, alias: str = PRODUCTION) -> ModelStanding:
        """Return what was measured of a model, beside what was measured of the model that `alias` means now."""
        models, aliases = self._known()
        model = find_reference(reference, models, aliases)
        serving = next((one for one in models if one.digest == aliases.get(alias) != model.digest), None)
        return standing_of(self._database, self._folder, model, serving)

    def measured(self, registration: Registration) -> MeasuredFigures | None:
        """Return a model's figures of films that it did not learn from: its card's, else those kept by `evaluate`."""
        return measured_of(self._database, self._folder, registration)

    def rollback(self, alias: str = PRODUCTION) -> AliasMove:
        """Take the alias's last promotion back and return the move; again, the one before, and so on.

        A reason that was given for the model's audit before still counts. Figures are not asked for: it has served.
        """
        moves = self.moves(alias)
        previous = model_before(moves)
        if previous is None:
            raise UsageError(f"alias {alias!r}: expected an earlier model to go back to, found none; promote one")
        figures = next((move.accepted_evaluation for move in moves if move.model_digest == previous), None)
        audit = self.accepted_audit(previous)
        return self.promote(previous, alias, accept_audit=audit, accept_evaluation=figures, back=True)

    def accepted_audit(self, digest: str) -> str | None:
        """Return why the model with this digest was last taken in spite of its audit; None where nobody was asked."""
        with self._database.reading() as session:
            given = registrations.read_accepted_audit(session, digest)
        return given or self._shipped_with(digest)

    def _shipped_with(self, digest: str) -> str | None:
        """Return the reason that a shipped model comes with; None of any other model."""
        return next((ACCEPTED_AUDITS.get(name) for name, known in SHIPPED.items() if known == digest), None)

    def moves(self, alias: str = PRODUCTION) -> list[AliasMove]:
        """Return the moves of an alias, the latest first."""
        with self._database.reading() as session:
            return registrations.alias_moves(session, alias)

    def _known(self) -> tuple[list[Registration], dict[str, str]]:
        """Return all models, and alias -> digest, default aliases included."""
        self._register_shipped()
        with self._database.reading() as session:
            models = registrations.list_registrations(session)
            aliases = registrations.read_aliases(session)
        shipped = next(iter(SHIPPED.values()), None)
        return models, aliases if shipped is None else {PRODUCTION: shipped, SHIPPED_ALIAS: shipped} | aliases

    def _register_shipped(self) -> None:
        """Register what came with this program and is not registered yet; looked at once a process.

        A role of the database that may only read goes on with what is registered.
        """
        if self._knows_shipped or self._database.asked:
            return
        with suppress(RightsMissing):
            self._register_missing_shipped()
        self._knows_shipped = True

    def _register_missing_shipped(self) -> None:
        with self._database.reading() as session:
            registered = {digest for digest in SHIPPED.values() if registrations.find_registration(session, digest)}
        for name, digest in SHIPPED.items():
            if digest not in registered:
                artefact = verify_artefact(shipped_directory(name), trusted_digest=digest)
                version = artefact.card.version
                while self._record(artefact, version, shipped_location(name)) is None:
                    version += 1  # a site has trained models of this name

    def _add(self, source: str | os.PathLike[str], version: int | None) -> Registration:
        """Register the artefact in `source`, as `version` where that is given and free."""
        artefact = verify_artefact(source)
        while True:
            registration = self._try_to_add(source, artefact, version)
            if registration is not None:
                return registration

    def _try_to_add(
        self, source: str | os.PathLike[str], artefact: Artefact, version: int | None
    ) -> Registration | None:
        """Do as `_add`; return None when another process took the version meanwhile, here or in the database."""
        name = artefact.card.name
        models, aliases = self._known()
        known = next((model for model in models if model.digest == artefact.digest), None)
        if known is not None:
            return self._complete(known, source, artefact)
        if name in RESERVED or name in aliases:
            raise UsageError(f"model name {name!r}: expected one that is no alias, found an alias; choose another")
        taken = {model.version for model in models if model.name == name} | self._folder.versions(name)
        if version is None or version in taken:
            version = max(taken, default=0) + 1
        directory = self._folder.place(name, version)
        try:
            copied = copy_artefact(source, directory, version=version)
        except UsageError:
            if os.path.lexists(directory):
                return None
            raise
        kept = False
        try:
            registration = self._record(copied, version, os.path.join(name, str(version)))
            kept = registration is not None and registration.reference == f"{name}@{version}"
        finally:
            if not kept:
                shutil.rmtree(directory)
        return registration if kept else None

    def _complete(self, known: Registration, source: str | os.PathLike[str], artefact: Artefact) -> Registration:
        """Copy the files of a model that is registered already, where this machine lacks them."""
        if not is_decision_known(self._database, artefact):
            raise UsageError(
                f"model {known.reference} is registered with another temperature or other thresholds than these files "
                "have; one version cannot decide in two ways: keep what is registered, or train another"
            )
        if self._folder.find(known) is None:
            copy_artefact(source, self._folder.place(known.name, known.version), version=known.version)
        return known

    def _record(self, artefact: Artefact, version: int, directory: str) -> Registration | None:
        """Write the model into the database and return it as registered there; None when the version is taken."""
        card, decision = artefact.card, artefact.decision
        values = DecisionValues(decision.digest, artefact.digest, decision.temperature, decision.thresholds)
        wanted = Registration(artefact.digest, card.name, version, directory, card.labels, decision.digest, self._now())
        with self._database.writing() as session:
            return registrations.register(session, wanted, values)
