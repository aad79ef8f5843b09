"""The morning report as tables."""

from __future__ import annotations

from cli.accounts import emit_accounts, emit_reasons
from cli.error_words import show_words
from cli.output import emit_table, percent, printable, say
from wetread.path_text import path_text
from wetread.report.body import commands
from wetread.report.last_night import LastNight
from wetread.report.morning import LabelShare, MorningReport
from wetread.report.reviewing import LATELY
from wetread.store.results.films_to_review import FilmToLookAt


def show_report(report: MorningReport) -> None:
    """Print the report on stdout, and what explains it on stderr."""
    account = report.account
    paused = [("seconds paused", f"{report.time.paused:.0f}")] if report.time.paused else []
    emit_accounts(
        account,
        origin=[
            *(("root", path_text(root)) for root in report.roots),
            ("begun (UTC)", f"{account.created_at:%Y-%m-%d %H:%M}"),
        ],
        pace=[
            ("failure rate", f"{report.failure_rate:.1%}"),
            ("images/s", f"{report.images_per_second:.1f}"),
            ("seconds at work", f"{report.time.seconds:.1f}"),
            *paused,
        ],
        title="the run",
    )
    if report.night is not None:
        show_nights(report.night)
    emit_reasons(account, title="what could not be read")
    show_words(report.words)
    if account.display_notes:
        notes = sorted(account.display_notes.items())
        emit_table(("display note", "films"), notes, title="shown with a note", one_of_many=True)
    _show_positives(report)
    if report.reviews:
        _show_reviews(report)
    if report.drifts:
        _show_drift(report)
    else:
        say(f"drift is measured from {report.reference}")
    interest = " or ".join(report.of_interest)
    if report.first:
        _show_films(report, report.first, f"look at first: said to be {interest}")
    if report.near:
        _show_films(report, report.near, f"uncertain: most probably {interest}, nearest to the threshold")
    if account.note:
        say(f"note: {account.note}")
    say("to go on:")
    for one in commands(report):
        say(f"  {one['command']:<50}  {one['for']}")


def _show_reviews(report: MorningReport) -> None:
    rows = []
    for one in report.reviews:
        for when, of in (("lately", one.lately), ("before", one.before)):
            if of is not None:
                kappa = None if of.kappa is None else f"{of.kappa:.2f} ({of.low:.2f} to {of.high:.2f})"
                rows.append((one.answer, when, of.films, f"{of.agreed:.1%}", kappa))
    columns = ("the model's answer", "when", "films", "agreed", "kappa")
    emit_table(columns, rows, title=f"what readers said, in {LATELY.days} days and before", one_of_many=True)


def show_nights(night: LastNight) -> None:
    """Print the nights of a schedule for which no run was made, if there are any."""
    if not night.nights:
        return
    rows = [(f"{one.due:%Y-%m-%d %H:%M %Z}", one.outcome, one.note or "") for one in night.nights]
    emit_table(("due", "outcome", "why"), rows, title=f"nights of {night.schedule} without a run", one_of_many=True)


def _show_positives(report: MorningReport) -> None:
    rows = [
        (label, share.films, percent(share.films, report.account.done), *_earlier(share), report.uncertain[label])
        for label, share in report.positives.items()
    ]
    unsure = report.all_uncertain
    rows.append(
        ("uncertain", unsure.films, percent(unsure.films, report.account.done), *_earlier(unsure), unsure.films)
    )
    count = len(report.earlier)
    title = f"positives, beside {count} earlier {'run' if count == 1 else 'runs'} of the same roots by the same model"
    columns = ("decision", "films", "share", "mean before", "range before", "change", "unsure")
    emit_table(columns, rows, title=title, one_of_many=True)


def _earlier(share: LabelShare) -> tuple[str, str, str]:
    if share.earlier_mean is None or share.earlier_low is None or share.earlier_high is None:
        return "-", "-", "-"
    change = "-" if share.change is None else f"{100 * share.change:+.1f}"
    return f"{share.earlier_mean:.1%}", f"{100 * share.earlier_low:.1f}-{share.earlier_high:.1%}", change


def _show_drift(report: MorningReport) -> None:
    rows = [
        (
            drift.name,
            _three(drift.psi),
            _three(drift.chance),
            _three(drift.ks),
            drift.films,
            drift.reference_films,
            "yes" if report.has_baseline and drift.beyond(report.limits.drift) else "",
        )
        for drift in report.drifts
    ]
    columns = ("figure", "PSI", "chance", "KS", "films", "reference", "past limit")
    emit_table(columns, rows, title=f"drift from {report.reference}", one_of_many=True)


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _show_films(report: MorningReport, films: tuple[FilmToLookAt, ...], title: str) -> None:
    rows = [
        (
            film.label,
            f"{film.probability:.3f}",
            _three(report.thresholds.get(film.label)),
            film.files,
            path_text(film.path),
        )
        for film in films
    ]
    emit_table(("label", "probability", "threshold", "files", "path"), rows, title=printable(title), one_of_many=True)
