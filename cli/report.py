"""`wetread report`: what a run gave, for the morning after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.context import opened_database
from cli.output import NOT_DIAGNOSTIC, emit_json, path_text, printable, say
from cli.run_number import RUN_NUMBER
from cli.whole_file import whole_file
from schemas.errors import EXIT_DONE, EXIT_FAILURE_RATE, UsageError

if TYPE_CHECKING:
    from wetread.report.morning import MorningReport


@click.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option(
    "--nightly", metavar="[SCHEDULE]", is_flag=False, flag_value="",
    help="The latest run of this schedule, by default of the only one, that is not running any more.",
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
    help="Films to look at, of each kind.",
)
@click.option(
    "--max-failure-rate", type=click.FloatRange(0, 1), default=0.05, show_default=True,
    help="Exit 3 when more of the found images could not be read; what is no frontal chest film does not count.",
)  # fmt: skip
@click.option(
    "--max-drift", type=click.FloatRange(0), default=0.25, show_default=True,
    help="Exit 3 when the scores or the inputs have a population stability index above this, and above chance.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "html"]), default="table", show_default=True,
    help="How: tables, one JSON object, or one page of html.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True),
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

    The latest run, the one with this number, or the last of a schedule. Exit 3 when the failure rate or the drift is
    past its limit, or the run failed.

    \b
    Example:
      wetread report
      wetread report 12 --format html --output report.html
      wetread report --nightly "archive nightly"
    """
    from wetread.report.morning import Limits, morning_report

    form = "json" if as_json else form
    if output is not None and form != "html":
        raise UsageError("--output: expected --format html, found another; send tables and JSON on with >")
    if run is not None and nightly is not None:
        raise UsageError("expected the number of a run or --nightly, found both")
    with opened_database() as (settings, database):
        if nightly is not None:
            from wetread.report.last_night import last_night

            run = last_night(database, nightly or None)
        limits = Limits(max_failure_rate, max_drift)
        made = morning_report(database, settings, run, limits, of_interest=labels, films=films)
    if form == "json":
        _emit(made)
    elif form == "html":
        _write_page(made, output)
    else:
        from cli.report_tables import show_report

        show_report(made)
    for alarm in made.alarms:
        say(f"look into this: {alarm}")
    say(NOT_DIAGNOSTIC)
    ctx.exit(EXIT_FAILURE_RATE if made.alarms else EXIT_DONE)


def _emit(made: MorningReport) -> None:
    from wetread.report.body import report_body

    emit_json(report_body(made, path_text))


def _write_page(made: MorningReport, output: str | None) -> None:
    from wetread.report.body import report_body
    from wetread.report.page import render_page

    page = render_page(_printable(report_body(made, lambda path: printable(path_text(path)))))
    if output is None:
        click.echo(page.decode(), nl=False)
        return
    # Paths can hold patients' names: the page is its maker's alone, until they say otherwise.
    with whole_file(output, 0o600) as file:
        file.write(page)
    say(f"the report of run {made.account.id} is in {output}")


def _printable(body: dict[str, Any]) -> dict[str, Any]:
    """Return the report with its note, which can name a path, escaped as the paths are."""
    return body | {"note": printable(body["note"]) if body["note"] else None}
