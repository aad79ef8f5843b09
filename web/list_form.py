"""The form of a worklist's filters, the same as those of `wetread results list`, and what can be chosen in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from schemas.errors import UsageError
from schemas.reader_tables import ORDERS, TRIAGE
from schemas.states import ItemState
from wetread.models.references import PRODUCTION, with_shipped
from wetread.store.models.registrations import list_registrations, read_aliases
from wetread.store.results.filters import Filters
from wetread.store.results.known_values import known_codes, known_decisions, known_labels, models_with_readings
from wetread.store.reviews.reading_lists import FilmList

_TEXTS = ("label", "decision", "state", "study_uid", "series_uid", "patient_hash", "view", "modality")
_STATES = (ItemState.DONE, ItemState.REJECTED, ItemState.DEAD)


def list_of_form(session: Any, form: Mapping[str, str]) -> FilmList:
    """Return the list that a form asks for; raise UsageError for an unknown value."""
    values: dict[str, Any] = {name: form[name] for name in _TEXTS if form.get(name)}
    if values.get("state") not in (None, *_STATES):
        raise UsageError("expected a state among " + ", ".join(_STATES))
    if form.get("run"):
        values["run"] = _read(int, form["run"], "run", "a number")
        if not 0 < values["run"] < 2**63:
            raise UsageError("run: expected a number above 0")
    for name in ("min_probability", "max_probability"):
        if form.get(name):
            values[name] = _read(float, form[name], name, "a number from 0 to 1")
            if not 0 <= values[name] <= 1:
                raise UsageError(f"{name}: expected a number from 0 to 1, found {form[name][:40]!r}")
    for name in ("since", "until"):
        if form.get(name):
            day = _read(date.fromisoformat, form[name], name, "a day as 2026-11-30")
            values[name] = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for name in ("acquired_since", "acquired_until"):
        if form.get(name):
            values[name] = _read(date.fromisoformat, form[name], name, "a day as 2026-11-30")
    if form.get("path"):
        values["path"] = form["path"].encode("utf-8", "surrogateescape")
    filters = Filters(**values)
    if filters.run is None:
        filters = replace(filters, model_digest=form.get("model") or production_of(session))
    return FilmList(filters, form.get("order") or TRIAGE, form.get("blinded") == "yes")


def production_of(session: Any) -> str | None:
    """Return the model whose readings are shown where none is chosen: production's, or the only one that has some."""
    models = [model.digest for model in models_with_readings(session)]
    production = with_shipped(read_aliases(session)).get(PRODUCTION)
    return production if production in models or not models else models[0]


def choices(session: Any, filters: Filters) -> dict[str, Any]:
    """Return what can be chosen in the form: models, labels, decisions, states, views, modalities, orders."""
    return {
        "models": [(one.digest, one.reference) for one in list_registrations(session)],
        "labels": known_labels(session, filters),
        "decisions": known_decisions(session, filters),
        "states": [str(state) for state in _STATES],
        "views": known_codes(session, "view"),
        "modalities": known_codes(session, "modality"),
        "orders": ORDERS,
    }


def _read(kind: Any, text: str, name: str, expected: str) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise UsageError(f"{name}: expected {expected}, found {text[:40]!r}") from error
