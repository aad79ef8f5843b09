"""Options that choose among results, and the filters that they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cli.completing import MODEL, files, labels
from cli.known_choice import KnownChoice
from cli.moments import DAY, MOMENT
from cli.output import say
from cli.run_number import RUN_NUMBER
from schemas.reasons import Reason
from schemas.states import ItemState
from wetread.views.asked_values import check_known, chosen_path

if TYPE_CHECKING:
    from wetread.store.core.database import Database
    from wetread.store.results.finding import Filters

STATES = KnownChoice([str(state) for state in ItemState if state != ItemState.PENDING])
REASONS = KnownChoice([str(reason) for reason in Reason])
ANY_MODEL = "any"
"""The word of --model for all of them."""

FILTERS = (
    click.option("--run", type=RUN_NUMBER, help="Only what this run settled.  [default: each image's current reading]"),
    click.option("--model", type=MODEL, help="Only this model: NAME, NAME@VERSION or a digest; 'any': all models."),
    click.option("--label", shell_complete=labels, help="Only images whose most probable label is this one."),
    click.option("--decision", shell_complete=labels, help="Only images with this decision: a label, or uncertain."),
    click.option("--state", type=STATES, help="Only images in this state."),
    click.option("--reason", type=REASONS, help="Only images that failed for this reason."),
    click.option(
        "--min-probability", type=click.FloatRange(0, 1), help="Only readings with at least this probability."
    ),
    click.option("--max-probability", type=click.FloatRange(0, 1), help="Only readings with at most this probability."),
    click.option(
        "--since",
        type=MOMENT,
        help="Only images settled at this time or later: a time, a day, today, yesterday or 7d (UTC).",
    ),
    click.option("--until", type=MOMENT, help="Only images settled before this time, written as for --since."),
    click.option(
        "--path",
        shell_complete=files,
        help="Only paths that begin with this: from /, or relative to the current directory or to a root.",
    ),
    click.option("--study", "study_uid", help="Only DICOM films of this study, by its UID."),
    click.option("--series", "series_uid", help="Only DICOM films of this series, by its UID."),
    click.option("--patient-hash", help="Only DICOM films of this patient, by the hash that results give."),
    click.option("--view", help="Only DICOM films of this view, such as PA."),
    click.option("--modality", help="Only DICOM films of this modality, CR or DX."),
    click.option("--acquired-since", type=DAY, help="Only DICOM films taken on this day or later: a day, today or 7d."),
    click.option("--acquired-until", type=DAY, help="Only DICOM films taken before this day."),
)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose among results."""
    for option in reversed(FILTERS):
        command = option(command)
    return command


def chosen_filters(database: Database, chosen: dict[str, Any]) -> Filters:
    """Return the filters that the options of `filter_options` mean; raise UsageError for a value that nothing has."""
    from wetread.store.results.finding import Filters

    values = dict(chosen)
    model, path = values.pop("model"), values.pop("path")
    filters = Filters(
        **values,
        model_digest=None if model in (None, ANY_MODEL) else model_digest(database, model),
        path=None if path is None else chosen_path(database, path),
    )
    check_known(database, filters)
    return filters


def of_one_model(database: Database, filters: Filters, model: str | None) -> Filters:
    """Return `filters` with production's model where no run and no model was chosen and several have readings.

    Says on stderr whose readings are listed: of production, or of several models where production has none.
    """
    from wetread.models.references import PRODUCTION, with_shipped
    from wetread.store.models.registrations import read_aliases
    from wetread.store.results.known_values import models_with_readings

    if model is not None or filters.run is not None:
        return filters
    with database.reading() as session:
        models = {one.digest: f"{one.name}@{one.version}" for one in models_with_readings(session)}
        production = with_shipped(read_aliases(session)).get(PRODUCTION, "")
    if len(models) < 2:
        return filters
    if production not in models:
        say(f"readings of {len(models)} models, a row each: {', '.join(models.values())}; --model NAME lists one's")
        return filters
    others = ", ".join(name for digest, name in models.items() if digest != production)
    say(f"readings of {models[production]}, which is production; {others} has some too: --model any lists all")
    return replace(filters, model_digest=production)


def say_if_none(database: Database, filters: Filters, rows: int) -> None:
    """Say of how many readings none was what was asked for."""
    from wetread.store.results.known_values import count_asked

    if not rows:
        with database.reading() as session:
            say(f"0 of {count_asked(session, filters)} readings")


def model_digest(database: Database, reference: str) -> str:
    """Return the digest of the model that `reference` names; its files are not opened."""
    from wetread.models.references import find_reference, with_shipped
    from wetread.store.models.registrations import list_registrations, read_aliases

    with database.reading() as session:
        models, aliases = list_registrations(session), with_shipped(read_aliases(session))
    return find_reference(reference, models, aliases).digest
