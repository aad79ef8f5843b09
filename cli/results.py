"""`wetread results`: list, show, summary; delete is in cli.results_delete."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from cli.context import opened_database
from cli.output import NOT_DIAGNOSTIC, emit_csv, emit_json, emit_table, path_text, percent, say
from cli.results_delete import delete_results
from cli.run_number import LARGEST, RUN_NUMBER
from schemas.states import ItemState

if TYPE_CHECKING:
    from wetread.settings import Settings
    from wetread.store.database import Database
    from wetread.store.results import Filters, ResultRow

CSV_COLUMNS = (
    "path", "sha256", "state", "label", "probability", "probabilities", "decision", "reason", "model", "model_digest",
    "engine", "run", "read_at", "study_uid", "series_uid", "instance_uid", "view", "modality", "acquired_on",
    "pixel_spacing", "patient_hash",
)  # fmt: skip
"""In the order of the JSON objects; probabilities are a JSON object in one cell, since labels differ by model."""

STATES = click.Choice([str(state) for state in ItemState if state != ItemState.PENDING])


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose among results."""
    options = (
        click.option("--run", type=RUN_NUMBER, help="What this run settled.  [default: each image's current reading]"),
        click.option("--model", help="Only this model: NAME, NAME@VERSION or a digest."),
        click.option("--label", help="Only images of which this label is the most probable."),
        click.option("--decision", help="Only images of this decision: a label, or uncertain."),
        click.option("--state", type=STATES, help="Only images in this state."),
        click.option("--min-probability", type=click.FloatRange(0, 1), help="Only labels at least so probable."),
        click.option("--since", type=click.DateTime(), help="Settled at this time (UTC) or later."),
        click.option("--until", type=click.DateTime(), help="Settled before this time (UTC)."),
        click.option("--study", "study_uid", help="Only DICOM films of this study, by its UID."),
        click.option("--series", "series_uid", help="Only DICOM films of this series, by its UID."),
        click.option("--path", help="Only paths that begin so: absolute, or as under their root."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def results() -> None:
    """List, show, summarise and delete readings.

    \b
    Example:
      wetread results list --label covid --min-probability 0.9
    """


results.add_command(delete_results)


@results.command("list")
@filter_options
@click.option(
    "--limit",
    type=click.IntRange(min=0, max=LARGEST - 1),
    default=100,
    show_default=True,
    help="At most so many; 0: all.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "jsonl", "json", "csv"]), default="table", show_default=True,
    help="How: a table, a JSON object a line, one JSON array, or csv.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def list_results(limit: int, form: str, as_json: bool, **chosen: Any) -> None:
    """List readings, an image a line.

    \b
    Example:
      wetread results list --run 12 --format jsonl --limit 0
      wetread results list --path /archive/2024 --state rejected
      wetread results list --study 1.2.840.113619.2.1
    """
    from wetread.store.results import find_results

    form = "json" if as_json else form

    with opened_database() as (settings, database):
        filters = _filters(settings, database, chosen)
        with database.reading() as session:
            rows = find_results(session, filters, limit=limit + 1 if limit else None)
            of_study = chosen["study_uid"] is not None or chosen["series_uid"] is not None
            more = _print_rows(rows, limit, form, of_study=of_study)
    if more:
        say(f"there are more than {limit}: --limit 0 lists all")
    say(NOT_DIAGNOSTIC)


def _print_rows(rows: Iterator[ResultRow], limit: int, form: str, *, of_study: bool) -> bool:
    """Print the rows; return whether there are more than `limit`. of_study: the table says where in it a film is."""
    shown = islice(rows, limit) if limit else rows
    if form == "json":
        emit_json([result_json(row) for row in shown])
    elif form == "jsonl":
        for row in shown:
            emit_json(result_json(row))
    elif form == "csv":
        emit_csv(CSV_COLUMNS, map(_csv_row, shown))
    else:
        columns: tuple[str, ...] = ("path", "state", "label", "probability", "decision", "reason", "model", "run")
        if of_study:
            table = ((*_table_row(row), row.view, row.series_uid, row.instance_uid) for row in shown)
            emit_table((*columns, "view", "series", "instance"), table)
        else:
            emit_table(columns, map(_table_row, shown))
    return next(rows, None) is not None


@results.command()
@click.argument("image")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def show(image: str, as_json: bool) -> None:
    """Show every model's reading of one image, by its path or its SHA-256.

    \b
    Example:
      wetread results show /archive/2024/171/film.png
    """
    from schemas.errors import UsageError
    from wetread.store.results import Filters, find_results

    is_hash = len(image) == 64 and all(sign in "0123456789abcdef" for sign in image)
    wanted = Filters(sha256=image) if is_hash else Filters(path=os.path.realpath(os.fsencode(image)))
    with opened_database() as (_, database), database.reading() as session:
        rows = [row for row in find_results(session, wanted) if is_hash or row.path == wanted.path]
    if not rows:
        raise UsageError(f"expected an image that was screened, found none for {image!r}; see `wetread results list`")
    if as_json:
        emit_json([result_json(row) | _more(row) for row in rows])
        return
    for row in rows:
        emit_table(("field", "value"), list((result_json(row) | _more(row)).items()))
    say(NOT_DIAGNOSTIC)


@results.command()
@filter_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def summary(as_json: bool, **chosen: Any) -> None:
    """Count readings by model and label, and what could not be read by reason.

    \b
    Example:
      wetread results summary --run 12
    """
    from wetread.store.results import failure_counts, label_counts

    with opened_database() as (settings, database):
        filters = _filters(settings, database, chosen)
        with database.reading() as session:
            labels, failures = label_counts(session, filters), failure_counts(session, filters)
    if as_json:
        emit_json(
            {
                "labels": [
                    {"model": model, "label": label, "images": count, "uncertain": unsure, "mean_probability": mean}
                    for model, label, count, unsure, mean in labels
                ],
                "failures": [{"model": m, "state": s, "reason": r, "images": c} for m, s, r, c in failures],
            }
        )
        return
    whole = {model: sum(row[2] for row in labels if row[0] == model) for model, *_ in labels}
    emit_table(
        ("model", "most probable label", "images", "share", "of them uncertain", "mean probability"),
        [(model, label, count, percent(count, whole[model]), *rest) for model, label, count, *rest in labels],
    )
    if failures:
        emit_table(("model", "state", "reason", "images"), failures)
    say(NOT_DIAGNOSTIC)


def result_json(row: ResultRow) -> dict[str, Any]:
    """Return one line of `results list --format jsonl`."""
    return {
        "path": path_text(row.path),
        "sha256": row.sha256,
        "state": row.state,
        "label": row.label,
        "probability": row.probability,
        "probabilities": row.probabilities,
        "decision": row.decision,
        "reason": row.reason,
        "model": row.model,
        "model_digest": row.model_digest,
        "engine": row.engine,
        "run": row.run,
        "read_at": row.read_at.isoformat() if row.read_at else None,
        "study_uid": row.study_uid,
        "series_uid": row.series_uid,
        "instance_uid": row.instance_uid,
        "view": row.view,
        "modality": row.modality,
        "acquired_on": row.acquired_on.isoformat() if row.acquired_on else None,
        "pixel_spacing": row.pixel_spacing,
        "patient_hash": row.patient_hash,
    }


def _more(row: ResultRow) -> dict[str, Any]:
    return {
        "detail": row.detail,
        "logits": row.logits,
        "decision_digest": row.decision_digest,
        "attempts": row.attempts,
        "worker": row.worker,
        "settled_at": row.settled_at.isoformat() if row.settled_at else None,
    }


def _csv_row(row: ResultRow) -> list[object]:
    body = result_json(row)
    for column in ("probabilities", "pixel_spacing"):
        body[column] = json.dumps(body[column]) if body[column] else None
    return [body[column] for column in CSV_COLUMNS]


def _table_row(row: ResultRow) -> tuple[object, ...]:
    return (
        path_text(row.path), row.state, row.label, row.probability, row.decision, row.reason, row.model, row.run
    )  # fmt: skip


def _filters(settings: Settings, database: Database, chosen: dict[str, Any]) -> Filters:
    from wetread.store.results import Filters

    digest = None
    if chosen["model"] is not None:
        from wetread.models.registry import Registry

        digest = Registry(database, settings.models_directory).resolve(chosen["model"]).digest
    return Filters(
        run=chosen["run"],
        model_digest=digest,
        label=chosen["label"],
        decision=chosen["decision"],
        state=chosen["state"],
        min_probability=chosen["min_probability"],
        since=_utc(chosen["since"]),
        until=_utc(chosen["until"]),
        path=None if chosen["path"] is None else os.fsencode(chosen["path"]),
        study_uid=chosen["study_uid"],
        series_uid=chosen["series_uid"],
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
