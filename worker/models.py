"""Loads models in a worker process, each once, by digest and engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wetread.models.artefact import Artefact
from wetread.models.classifier import Classifier
from wetread.models.decision import Decision
from wetread.models.gate import Gate
from wetread.models.registry import Registry
from worker.engine_faults import loaded


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A classifier, the decision record in force, and the input gate; None where the model has none."""

    classifier: Classifier
    decision: Decision
    gate: Gate | None

    @classmethod
    def of(cls, artefact: Artefact, engine: str) -> LoadedModel:
        """Return the model of `artefact`, built for `engine`."""
        gate = None if artefact.card.gate is None else Gate.from_json(artefact.card.gate)
        return cls(loaded(artefact, engine), artefact.decision, gate)


@dataclass(slots=True)
class ModelShelf:
    """Loads models when a batch first asks for them."""

    registry: Registry
    _loaded: dict[tuple[str, str], LoadedModel] = field(default_factory=dict)

    def take(self, digest: str, engine: str, decision_digest: str | None = None) -> LoadedModel:
        """Return the model with this digest; raise UsageError where its files are lacking, else as `loaded`.

        decision_digest: of the decision in force; where the loaded model has another one, that is looked up anew.
        """
        key = (digest, engine)
        model = self._loaded.get(key)
        if model is None:
            model = LoadedModel.of(self.registry.open(digest), engine)
        elif decision_digest not in (None, model.decision.digest):
            model = replace(model, decision=self.registry.open(digest).decision)
        self._loaded[key] = model
        return model
