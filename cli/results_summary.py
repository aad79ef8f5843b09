"""`wetread results summary`: counts by label, run, model, month or directory."""

from __future__ import annotations

from typing import Any

import click

from cli.context import asked_database
from cli.known_choice import KnownChoice
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, percent, say
from cli.result_options import chosen_filters, filter_options, say_if_none
from wetread.path_text import path_text

BY = ("label", "run", "model", "month", "directory")


@click.command()
@filter_options
@click.option(
    "--by", type=KnownChoice(BY), default="label", show_default=True,
    help="Count by this too. month: of settling; directory: the first below the root, or below --path.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def summary(by: str, as_json: bool, **chosen: Any) -> None:
    """Count readings by model and label, and images that could not be read by reason.

    One run, and all runs by run, are answered at once from the counters that were kept as their images settled; the
    rest reads what it counts, and gives the mean probability too.

    \b
    Example:
      wetread results summary --run 12
      wetread results summary --by run
      wetread results summary --by directory --path /archive/2024/
      wetread results summary --by month --model cxr@3 --json
    """
    from wetread.store.results.counts import By, counted_by_runs, failure_counts, label_counts, run_counts

    wanted = By(by)
    with asked_database() as (_, database):
        filters = chosen_filters(database, chosen)
        with database.reading() as session:
            if counted_by_runs(filters, wanted):
                labels, failures = run_counts(session, filters, wanted)
            else:
                labels = label_counts(session, filters, wanted)
                failures = failure_counts(session, filters, wanted)
        say_if_none(database, filters, len(labels) + len(failures))
    grouped = by in ("run", "month", "directory")
    if by == "model":
        models = dict.fromkeys([row.model for row in labels])
        rows = [_whole_model(model, [row for row in labels if row.model == model]) for model in models]
    else:
        rows = [row._asdict() for row in labels]
    failed = [row._asdict() for row in failures]
    for row in (*rows, *failed):
        group = row.pop("group", None)
        row |= {by: path_text(group) if isinstance(group, bytes) else group} if grouped else {}
    if as_json:
        emit_json({"labels": [_labelled(row) for row in rows], "failures": failed})
        return
    _show(by if grouped else None, rows, failed)
    say(NOT_DIAGNOSTIC)


def _whole_model(model: str, rows: list[Any]) -> dict[str, Any]:
    images = sum(row.images for row in rows)
    means = [row.mean for row in rows]
    mean = None if not images or None in means else sum(row.mean * row.images for row in rows) / images
    return {"model": model, "images": images, "uncertain": sum(row.uncertain for row in rows), "mean": mean}


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    return {("mean_probability" if name == "mean" else name): value for name, value in row.items()}


def _show(group: str | None, rows: list[dict[str, Any]], failed: list[dict[str, Any]]) -> None:
    before = [group] if group else []
    whole: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = (*(row[name] for name in before), row["model"])
        whole[key] = whole.get(key, 0) + row["images"]
    labels = ["label"] if rows and "label" in rows[0] else []
    means = ["mean"] if any(row["mean"] is not None for row in rows) else []
    titles = {"label": "most probable label", "uncertain": "of them uncertain", "mean": "mean probability"}
    columns = [*before, "model", *labels, "images", "share", "uncertain", *means]
    table = []
    for row in rows:
        share = percent(row["images"], whole[(*(row[name] for name in before), row["model"])])
        table.append([(row | {"share": share})[column] for column in columns])
    emit_table([titles.get(column, column) for column in columns], table)
    if failed:
        columns = [*before, "model", "state", "reason", "images"]
        emit_table(columns, [[row[column] for column in columns] for row in failed])
