"""The filters of the HTTP API: those of `wetread results list`, and refused where the command refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.errors import UsageError
from schemas.reasons import Reason
from schemas.states import ItemState
from web.api_asked import ApiValue
from wetread.models.references import PRODUCTION, find_reference, with_shipped
from wetread.moments import FORMS, read_day, read_moment
from wetread.nearest import no_such
from wetread.store.core.database import Database
from wetread.store.models.registrations import list_registrations, read_aliases
from wetread.store.results.filters import Filters
from wetread.store.results.known_values import models_with_readings
from wetread.store.runs.accounts import run_account
from wetread.views.asked_values import check_known, chosen_path

ANY_MODEL = "any"
STATES = [str(state) for state in ItemState if state != ItemState.PENDING]
REASONS = [str(reason) for reason in Reason]
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_DAY = {"type": "string", "format": "date"}
_NAMED = {"study": "study_uid", "series": "series_uid"}
_AS_ASKED = ("label", "decision", "study", "series", "patient_hash", "view", "modality")

FILTERS = {
    "run": ApiValue("What this run settled; without it, each image's current reading.", {"type": "integer"}),
    "model": ApiValue("NAME, NAME@VERSION or a digest; any: all models. Without it, production's."),
    "label": ApiValue("Only images of which this label is the most probable."),
    "decision": ApiValue("Only images of this decision: a label, or uncertain."),
    "state": ApiValue("Only images in this state.", {"type": "string", "enum": STATES}),
    "reason": ApiValue("Only what failed for this reason.", {"type": "string", "enum": REASONS}),
    "min_probability": ApiValue("Only labels at least so probable.", _SHARE),
    "max_probability": ApiValue("Only labels at most so probable.", _SHARE),
    "since": ApiValue("Settled then or later: a time, a day, today, yesterday or 7d (UTC)."),
    "until": ApiValue("Settled before then, written so too."),
    "path": ApiValue("Only paths that begin so: absolute, or as under their root."),
    "study": ApiValue("Only DICOM films of this study, by its UID."),
    "series": ApiValue("Only DICOM films of this series, by its UID."),
    "patient_hash": ApiValue("Only DICOM films of this patient, by the hash that results give."),
    "view": ApiValue("Only DICOM films of this view, such as PA."),
    "modality": ApiValue("Only DICOM films of this modality, CR or DX."),
    "acquired_since": ApiValue("Only DICOM films of this day or later: a day, today or 7d.", _DAY),
    "acquired_until": ApiValue("Only DICOM films of before this day.", _DAY),
}


def asked_filters(database: Database, query: Mapping[str, str]) -> Filters:
    """Return the filters that a query asks for; raise UsageError for a value that cannot be, or that nothing has."""
    values: dict[str, Any] = {_NAMED.get(name, name): query[name] for name in _AS_ASKED if name in query}
    for name, words in (("state", STATES), ("reason", REASONS)):
        if name in query:
            if query[name] not in words:
                raise UsageError(f"{name}: expected one of those that there are, {no_such(query[name], words)}")
            values[name] = query[name]
    if "run" in query:
        values["run"] = whole_number("run", query["run"], least=1)
    for name in ("min_probability", "max_probability"):
        if name in query:
            values[name] = _share(name, query[name])
    for name in ("since", "until"):
        if name in query:
            values[name] = _moment(name, query[name])
    for name in ("acquired_since", "acquired_until"):
        if name in query:
            values[name] = _day(name, query[name])
    if "path" in query:
        values["path"] = chosen_path(database, query["path"], str, here=False)
    for least, most in (
        ("min_probability", "max_probability"),
        ("since", "until"),
        ("acquired_since", "acquired_until"),
    ):
        _check_order(values, query, least, most)
    filters = _of_the_model(database, Filters(**values), query.get("model"))
    check_known(database, filters, str)
    return filters


def whole_number(name: str, text: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
    """Return the number that `text` is; raise UsageError where it is none from `least` to `most`."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise UsageError(f"{name}: expected a whole number from {least} to {most}, found {text[:40]!r}")
    return int(text)


def _check_order(values: Mapping[str, Any], query: Mapping[str, str], least: str, most: str) -> None:
    """Raise UsageError where nothing can lie between two values: probabilities may be equal, times may not."""
    if least not in values or most not in values:
        return
    share = least == "min_probability"
    if values[least] > values[most] or (values[least] == values[most] and not share):
        wanted = "at most" if share else "a time before"
        raise UsageError(f"{least}: expected {wanted} {most}, {query[most][:40]!r}, found {query[least][:40]!r}")


def _of_the_model(database: Database, filters: Filters, model: str | None) -> Filters:
    """Return `filters` with the model that is asked for; without one, and without a run, production's.

    Raises UsageError for a model that is not the run's, or that has read nothing.
    """
    if model == ANY_MODEL or (model is None and filters.run is not None):
        return filters
    with database.reading() as session:
        have = {one.digest: f"{one.name}@{one.version}" for one in models_with_readings(session)}
        run = None if filters.run is None else run_account(session, filters.run)
        production = with_shipped(read_aliases(session)).get(PRODUCTION)
    digest = production if model is None else _digest(database, model)
    if run is not None and digest != run.model_digest:
        raise UsageError(f"model: expected that of run {run.id}, {run.model}, found {str(model)[:80]!r}")
    if run is None and digest not in have:
        found = f"{str(model)[:80]!r}" if model is not None else "production's, which is taken where none is named"
        raise UsageError(
            f"model: expected one that has readings, found {found}; there are: {', '.join(have.values()) or 'none yet'}"
        )
    return replace(filters, model_digest=digest)


def _digest(database: Database, reference: str) -> str:
    with database.reading() as session:
        models, aliases = list_registrations(session), with_shipped(read_aliases(session))
    return find_reference(reference, models, aliases).digest


def _share(name: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise UsageError(f"{name}: expected a number from 0 to 1, found {text[:40]!r}")
    return found


def _moment(name: str, text: str) -> Any:
    try:
        return read_moment(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name}: {FORMS}, found {text[:40]!r}") from error


def _day(name: str, text: str) -> Any:
    try:
        found = read_day(text)
    except OverflowError:
        found = None
    if found is None:
        raise UsageError(f"{name}: expected a day as 2026-11-30, today, yesterday or 7d, found {text[:40]!r}")
    return found
