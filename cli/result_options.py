"""The options that choose among results, and the filters that they mean."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.completing import MODEL, files, labels
from cli.run_number import RUN_NUMBER
from schemas.states import ItemState, Reason

if TYPE_CHECKING:
    from wetread.store.database import Database
    from wetread.store.results import Filters

STATES = click.Choice([str(state) for state in ItemState if state != ItemState.PENDING])

FILTERS = (
    click.option("--run", type=RUN_NUMBER, help="What this run settled.  [default: each image's current reading]"),
    click.option("--model", type=MODEL, help="Only this model: NAME, NAME@VERSION or a digest."),
    click.option("--label", shell_complete=labels, help="Only images of which this label is the most probable."),
    click.option("--decision", shell_complete=labels, help="Only images of this decision: a label, or uncertain."),
    click.option("--state", type=STATES, help="Only images in this state."),
    click.option("--reason", type=click.Choice([str(one) for one in Reason]), help="Only what failed for this reason."),
    click.option("--min-probability", type=click.FloatRange(0, 1), help="Only labels at least so probable."),
    click.option("--max-probability", type=click.FloatRange(0, 1), help="Only labels at most so probable."),
    click.option("--since", type=click.DateTime(), help="Settled at this time (UTC) or later."),
    click.option("--until", type=click.DateTime(), help="Settled before this time (UTC)."),
    click.option("--study", "study_uid", help="Only DICOM films of this study, by its UID."),
    click.option("--series", "series_uid", help="Only DICOM films of this series, by its UID."),
    click.option("--path", shell_complete=files, help="Only paths that begin so: absolute, or as under their root."),
)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose among results."""
    for option in reversed(FILTERS):
        command = option(command)
    return command


def chosen_filters(database: Database, chosen: dict[str, Any]) -> Filters:
    """Return the filters that the options of `filter_options` mean."""
    from wetread.store.results import Filters

    values = dict(chosen)
    model, path = values.pop("model"), values.pop("path")
    return Filters(
        **values | {name: _utc(values[name]) for name in ("since", "until")},
        model_digest=None if model is None else model_digest(database, model),
        path=None if path is None else os.fsencode(path),
    )


def model_digest(database: Database, reference: str) -> str:
    """Return the digest of the model that `reference` names; its files are not opened."""
    from wetread.models.references import find_reference, with_shipped
    from wetread.store.registrations import list_registrations, read_aliases

    with database.reading() as session:
        models, aliases = list_registrations(session), with_shipped(read_aliases(session))
    return find_reference(reference, models, aliases).digest


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
