"""The morning report: what a run gave, how it differs from the runs before it, and what to look at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.alarms import Alarm
from schemas.errors import UsageError
from wetread.clock import utc_now
from wetread.nearest import no_such
from wetread.report.comparing import CONFIDENCE, drift_from_earlier, drift_from_validation, validation_scores
from wetread.report.drift import Drift
from wetread.report.last_night import LastNight
from wetread.report.reviewing import ReviewedLately, agreement_alarms, reviewed_lately
from wetread.report.run_drift import drift_alarms, measures
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.places import root_paths
from wetread.store.images.words import FoundWord, found_words
from wetread.store.models.registrations import find_registration, read_decision
from wetread.store.results.films_to_review import FilmToLookAt, most_probable, nearest_to_threshold
from wetread.store.results.histograms import spreads_of
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.alarms import run_alarms
from wetread.store.runs.earlier import NIGHTS, EarlierRun, earlier_runs
from wetread.store.runs.failures import failure_rate
from wetread.store.runs.work_time import WorkTime, work_time

NOTHING_FOUND = frozenset({"normal", "no_finding", "no-finding", "healthy", "negative"})
"""Labels that say that nothing was found; by default all others are of interest."""


@dataclass(frozen=True, slots=True)
class ReportLimits:
    """Past which a report is an alarm. failure_rate: of the images found. drift: a population stability index."""

    failure_rate: float
    drift: float


@dataclass(frozen=True, slots=True)
class LabelShare:
    """A share of the images done, beside the shares in the earlier runs; None where there are none."""

    films: int
    share: float | None
    earlier_mean: float | None
    earlier_low: float | None
    earlier_high: float | None

    @property
    def change(self) -> float | None:
        """Return the share less the earlier runs' mean."""
        return None if self.share is None or self.earlier_mean is None else self.share - self.earlier_mean


@dataclass(frozen=True, slots=True)
class MorningReport:
    """All that a report says.

    positives: films that the decision gives a label, by label; uncertain: by their most probable label, which is not
    said of them; all_uncertain: all of these. reference: what drift is measured from. thresholds: by label, below
    which a film is uncertain. has_baseline: earlier films tell what is usual; without it drift is no alarm. night: of
    which schedule it is the morning. words: by which words of DICOM headers films were set aside. reviews: how
    readers agree with the model.
    """

    account: RunAccount
    roots: tuple[bytes, ...]
    made_at: datetime
    limits: ReportLimits
    time: WorkTime
    earlier: tuple[int, ...]
    positives: Mapping[str, LabelShare]
    uncertain: Mapping[str, int]
    all_uncertain: LabelShare
    reference: str
    drifts: tuple[Drift, ...]
    of_interest: tuple[str, ...]
    thresholds: Mapping[str, float]
    first: tuple[FilmToLookAt, ...]
    near: tuple[FilmToLookAt, ...]
    has_baseline: bool
    night: LastNight | None = None
    words: tuple[FoundWord, ...] = ()
    reviews: tuple[ReviewedLately, ...] = ()

    @property
    def images_per_second(self) -> float:
        """Return how many images were settled a second at work."""
        return self.account.settled / self.time.seconds if self.time.seconds > 0 else 0.0

    @property
    def failure_rate(self) -> float:
        """Return (rejected + dead) / found, not counting images that are not frontal chest films."""
        return failure_rate(self.account)

    @property
    def alarms(self) -> list[Alarm]:
        """Return the alarms of the night, of its run, and of the readers' agreement with the model.

        A difference from the model's validation does not count: an archive rarely has its mixture of labels.
        """
        drift = drift_alarms(self.drifts, self.limits.drift) if self.has_baseline else []
        of_run = run_alarms(self.account, max_failure_rate=self.limits.failure_rate, drift=drift)
        return [*(() if self.night is None else self.night.alarms), *of_run, *agreement_alarms(self.reviews)]


def morning_report(
    database: Database,
    settings: Settings,
    run: int | None,
    limits: ReportLimits,
    *,
    of_interest: Sequence[str] = (),
    films: int = 20,
    night: LastNight | None = None,
) -> MorningReport:
    """Return the report of a run, by default of the latest.

    of_interest: labels whose films are to be looked at first; by default all but those for nothing found. films: how
    many of each kind. night: whose run it is. Memory does not grow with the run. Raises UsageError when there is no
    such run or label.
    """
    with database.reading() as session:
        account = run_account(session, run)
        model = find_registration(session, account.model_digest)
        if model is None:
            raise UsageError(f"run {account.id}: expected its model to be registered, found none")
        decision = read_decision(session, model.decision_digest)
        thresholds = {} if decision is None else dict(decision.thresholds)
        interest = _interest(model.labels, of_interest)
        earlier = earlier_runs(session, account)
        numbers = [one.id for one in earlier]
        wanted = measures(model.labels)
        compared = [CONFIDENCE, *(measure for measure, _ in wanted)]
        confidence, *spreads = spreads_of(session, compared, account.id, numbers)
        first = most_probable(session, account.id, interest, limit=films)
        near = nearest_to_threshold(session, account.id, interest, thresholds, limit=films)
        time = work_time(session, account, utc_now())
        roots = root_paths(session, account.root_ids)
        words = tuple(found_words(session, account.id))
        reviews = tuple(reviewed_lately(session, model.digest, utc_now()))
    reference, drifts = (
        _earlier_text(earlier),
        [drift_from_earlier(measure, of, spread) for (measure, of), spread in zip(wanted, spreads, strict=True)],
    )
    if not confidence.earlier:
        scores = validation_scores(settings, model)
        drifts = [drift_from_validation(confidence, scores)] if scores else []
        reference = (
            f"the model's own validation films ({sum(n for _, n in scores)}): there is no baseline yet, since no "
            "earlier run read these roots with this model; nothing of this is an alarm"
            if scores
            else "nothing: there is no baseline yet, since no earlier run read these roots with this model"
        )
    return MorningReport(
        account=account,
        roots=tuple(roots[number] for number in account.root_ids),
        made_at=utc_now(),
        limits=limits,
        time=time,
        earlier=tuple(numbers),
        positives={
            label: _share(account.done, _said(account, label), [(_said(one, label), one.done) for one in earlier])
            for label in model.labels
        },
        uncertain={label: account.uncertain.get(label, 0) for label in model.labels},
        all_uncertain=_share(
            account.done, sum(account.uncertain.values()), [(sum(one.uncertain.values()), one.done) for one in earlier]
        ),
        reference=reference,
        drifts=tuple(drift for drift in drifts if drift.films or drift.reference_films),
        of_interest=interest,
        thresholds=thresholds,
        first=tuple(first),
        near=tuple(near),
        has_baseline=bool(confidence.earlier),
        night=night,
        words=words,
        reviews=reviews,
    )


def _interest(labels: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    if unknown := sorted(set(chosen) - set(labels)):
        raise UsageError(f"--label: expected a label of the model, {no_such(unknown[0], labels)}")
    return tuple(chosen) or tuple(label for label in labels if label.lower() not in NOTHING_FOUND) or tuple(labels)


def _said(run: RunAccount | EarlierRun, label: str) -> int:
    return run.labels.get(label, 0) - run.uncertain.get(label, 0)


def _share(done: int, films: int, earlier: Sequence[tuple[int, int]]) -> LabelShare:
    before = [part / whole for part, whole in earlier]
    share = films / done if done else None
    if not before:
        return LabelShare(films, share, None, None, None)
    return LabelShare(films, share, sum(before) / len(before), min(before), max(before))


def _earlier_text(earlier: Sequence[EarlierRun]) -> str:
    count, films = len(earlier), sum(one.done for one in earlier)
    runs = "the one earlier run" if count == 1 else f"the {count} earlier runs"
    most = f", the latest {NIGHTS} at most" if count == NIGHTS else ""
    return f"{runs} of the same roots by the same model{most} ({films:,} films)"
