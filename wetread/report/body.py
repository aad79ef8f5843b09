"""The report as plain data: what `--format json` prints and the page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from wetread.clock import utc_text
from wetread.report.last_night import LastNight
from wetread.report.morning import LabelShare, MorningReport
from wetread.report.reviewing import LATELY
from wetread.store.results.films_to_review import FilmToLookAt

ShowPath = Callable[[bytes], str]


def report_body(report: MorningReport, show_path: ShowPath) -> dict[str, Any]:
    """Return the report as JSON types. show_path: makes text of a path."""
    account = report.account
    return {
        "run": account.id,
        "state": str(account.state),
        "note": account.note,
        "model": account.model,
        "model_digest": account.model_digest,
        "engine": account.engine,
        "roots": [show_path(root) for root in report.roots],
        "made_at": utc_text(report.made_at),
        "begun_at": utc_text(account.created_at),
        "ended_at": utc_text(account.ended_at),
        "seconds": round(report.time.seconds + report.time.paused, 3),
        "seconds_at_work": round(report.time.seconds, 3),
        "seconds_paused": round(report.time.paused, 3),
        "images_per_second": round(report.images_per_second, 2),
        "found": account.found,
        "done": account.done,
        "rejected": account.rejected,
        "dead": account.dead,
        "cancelled": account.cancelled,
        "skipped": account.skipped,
        "pending": account.pending,
        "rejected_reasons": account.rejected_reasons,
        "dead_reasons": account.dead_reasons,
        "set_aside_by_word": [asdict(found) for found in report.words],
        "display_notes": account.display_notes,
        "failure_rate": report.failure_rate,
        "max_failure_rate": report.limits.failure_rate,
        "max_drift": report.limits.drift,
        "alarms": [alarm.to_json() for alarm in report.alarms],
        "unreadable_directories": account.unread_directories,
        "passed_over": account.passed_over,
        "earlier_runs": list(report.earlier),
        "positives": {label: _share(share) for label, share in report.positives.items()},
        "uncertain": _share(report.all_uncertain) | {"labels": dict(report.uncertain)},
        "reference": report.reference,
        "has_baseline": report.has_baseline,
        "drift": [
            asdict(drift) | {"beyond": report.has_baseline and drift.beyond(report.limits.drift)}
            for drift in report.drifts
        ],
        "of_interest": list(report.of_interest),
        "thresholds": dict(report.thresholds),
        "first": _films(report.first, show_path),
        "near_threshold": _films(report.near, show_path),
        "commands": commands(report),
        "schedule": report.night.schedule if report.night else None,
        "nights": nights(report.night) if report.night else [],
        "reviews": [
            {
                "answer": one.answer, "fell": one.fell,
                "lately": None if one.lately is None else asdict(one.lately),
                "before": None if one.before is None else asdict(one.before),
            }
            for one in report.reviews
        ],
        "reviewed_days": LATELY.days,
    }  # fmt: skip


def missing_body(night: LastNight) -> dict[str, Any]:
    """Return what JSON holds for a schedule that has no run to report on: the nights without one."""
    return {
        "run": None,
        "schedule": night.schedule,
        "nights": nights(night),
        "alarms": [alarm.to_json() for alarm in night.alarms],
    }


def nights(night: LastNight) -> list[dict[str, Any]]:
    """Return the nights without a run, newest first."""
    return [
        {"due": one.due.isoformat(timespec="minutes"), "outcome": one.outcome, "note": one.note} for one in night.nights
    ]


def commands(report: MorningReport) -> list[dict[str, str]]:
    """Return the commands to go on with, and what each is for."""
    run, account = report.account.id, report.account
    found = [("results show SHA256", "everything known of one film, by its SHA-256 or its path")]
    if report.first:
        listed = f"results list --run {run} --label {report.of_interest[0]} --limit 0"
        found.insert(0, (listed, f"all films of this run that are most probably {report.of_interest[0]}"))
    if report.all_uncertain.films:
        found.append((f"results list --run {run} --decision uncertain", "those that the model leaves to a person"))
    if account.rejected or account.dead:
        found.append((f"errors list {run}", "what could not be read, and why"))
    if account.dead:
        found.append((f"errors retry {run}", "make the dead and rejected pending again"))
    if report.night is not None and report.night.nights:
        found.append(("schedule history", "what became of each night, and why"))
    if account.pending and account.state != "running":
        found.append((f"runs resume {run}", "go on with the run"))
    return [{"command": f"wetread {text}", "for": what} for text, what in found]


def _share(share: LabelShare) -> dict[str, Any]:
    return {
        "films": share.films,
        "share": share.share,
        "earlier_mean": share.earlier_mean,
        "earlier_low": share.earlier_low,
        "earlier_high": share.earlier_high,
        "change": share.change,
    }


def _films(films: Sequence[FilmToLookAt], show_path: ShowPath) -> list[dict[str, Any]]:
    return [
        {
            "path": show_path(film.path),
            "sha256": film.sha256,
            "label": film.label,
            "probability": film.probability,
            "decision": film.decision,
            "files": film.files,
        }
        for film in films
    ]
