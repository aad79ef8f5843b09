"""`wetread report`: what a run gave, for the next morning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.alarms import say_alarms
from cli.context import asked_database
from cli.failure_rate_option import failure_rate_option
from cli.output import NOT_DIAGNOSTIC, STANDARD_OUTPUT, emit_json, printable, say
from cli.output_file import output_file
from cli.run_number import RUN_NUMBER
from schemas.errors import EXIT_DONE, EXIT_FAILURE_RATE, UsageError
from wetread.path_text import path_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from wetread.report.last_night import LastNight
    from wetread.report.morning import MorningReport


@click.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option(
    "--nightly", metavar="[SCHEDULE]", is_flag=False, flag_value="",
    help="The latest run of this schedule, by default of the only one, that is not running any more, and the nights "
    "without a run.",
)  # fmt: skip
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="Look at films of this label first; may be given again.  [default: all but normal]",
)
@click.option(
    "--films",
    type=click.IntRange(min=0, max=1000),
    default=20,
    show_default=True,
    help="How many films to list of each kind.",
)
@failure_rate_option(0.05)
@click.option(
    "--max-drift", type=click.FloatRange(0), default=0.25, show_default=True,
    help="Exit 3 when the scores or the inputs have a population stability index above this, and above chance.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "html"]), default="table", show_default=True,
    help="The form: tables, one JSON object, or one HTML page.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False),
    help="Write the page to this file.  [default: standard output]",
)
@click.pass_context
def report(
    ctx: click.Context,
    run: int | None,
    nightly: str | None,
    labels: tuple[str, ...],
    films: int,
    max_failure_rate: float,
    max_drift: float,
    form: str,
    as_json: bool,
    output: str | None,
) -> None:
    """Report on a run: what it gave, how it differs, what to look at first.

    The latest run, the one with this number, or the last of a schedule. Exit 3 when something is to be looked into: a
    root was not reached, the run was paused, interrupted or failed, directories were not looked into, nothing was
    found, films are dead, the failure rate or the drift is past its limit, or the schedule's latest night was missed or
    failed before a run was made.

    \b
    Example:
      wetread report
      wetread report 12 --format html --output report.html
      wetread report --nightly "archive nightly"
    """
    from wetread.clock import utc_now
    from wetread.report.last_night import last_night
    from wetread.report.morning import ReportLimits, morning_report

    form, output = "json" if as_json else form, None if output == STANDARD_OUTPUT else output
    if output is not None and form != "html":
        raise UsageError("--output: expected --format html, found another; send tables and JSON on with >")
    if run is not None and nightly is not None:
        raise UsageError("expected the number of a run or --nightly, found both")
    made: MorningReport | LastNight
    with asked_database() as (settings, database):
        night = None if nightly is None else last_night(database, nightly or None, utc_now())
        if night is not None and night.run is None:
            made = night
        else:
            limits = ReportLimits(max_failure_rate, max_drift)
            run = run if night is None else night.run
            made = morning_report(database, settings, run, limits, of_interest=labels, films=films, night=night)
    if form == "json":
        emit_json(_body(made, path_text))
    elif form == "html":
        _write_page(made, output)
    else:
        _show(made)
    say_alarms(made.alarms)
    say(NOT_DIAGNOSTIC)
    ctx.exit(EXIT_FAILURE_RATE if made.alarms else EXIT_DONE)


def _body(made: MorningReport | LastNight, show_path: Callable[[bytes], str]) -> dict[str, Any]:
    from wetread.report.body import missing_body, report_body
    from wetread.report.morning import MorningReport

    return report_body(made, show_path) if isinstance(made, MorningReport) else missing_body(made)


def _show(made: MorningReport | LastNight) -> None:
    from cli.report_tables import show_nights, show_report
    from wetread.report.morning import MorningReport

    if isinstance(made, MorningReport):
        show_report(made)
    else:
        show_nights(made)


def _write_page(made: MorningReport | LastNight, output: str | None) -> None:
    from wetread.report.page import render_page

    body = _body(made, lambda path: printable(path_text(path)))
    page = render_page(_printable(body))
    if output in (None, "-"):
        click.echo(page.decode(), nl=False)
        return
    # Paths can hold patients' names: the page is its maker's alone, until they say otherwise.
    with output_file(output) as file:
        file.write(page)
    of = f"run {body['run']}" if body["run"] else f"the schedule {body['schedule']}"
    say(f"the report of {of} is in {output}")


def _printable(body: dict[str, Any]) -> dict[str, Any]:
    """Return the report with its notes and alarms, which can name a path, escaped as the paths are."""
    nights = [night | {"note": printable(night["note"])} for night in body["nights"]]
    alarms = [alarm | {"message": printable(alarm["message"])} for alarm in body["alarms"]]
    return body | {"nights": nights, "alarms": alarms, "note": printable(body.get("note"))}
