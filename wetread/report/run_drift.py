"""Drift as an alarm: measured when a run ends, kept with it, and measured anew by its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.alarms import Alarm, AlarmKind
from schemas.states import RunState
from wetread.report.comparing import INPUTS, drift_from_earlier, label_scores
from wetread.report.drift import Drift
from wetread.store.core.database import Database
from wetread.store.models.registrations import find_registration
from wetread.store.results.histograms import Measure, spreads_of
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.earlier import earlier_runs
from wetread.store.runs.lifecycle import note_drift

MOST_DRIFT = 0.25
"""The population stability index that is an alarm, where nobody says otherwise: by custom a large shift."""


def measures(labels: Sequence[str]) -> list[tuple[Measure, str]]:
    """Return what a run is compared by with those before it, each with whether it is of the scores or the inputs."""
    return [(measure, "scores") for measure in label_scores(labels)] + [(measure, "inputs") for measure in INPUTS]


def drift_alarms(drifts: Sequence[Drift], limit: float) -> list[Alarm]:
    """Return an alarm for each figure that has moved by more than `limit`, and by more than chance explains."""
    return [
        Alarm(
            AlarmKind.DRIFT,
            f"The {drift.of} moved: {drift.name} has a stability index of {drift.psi:.2f}; the limit is {limit:.2f}.",
            {"name": drift.name, "of": drift.of, "psi": drift.psi, "chance": drift.chance, "max_drift": limit},
        )
        for drift in drifts
        if drift.beyond(limit)
    ]


def keep_drift(database: Database, run_id: int) -> None:
    """Measure the drift of a run that is finished from those before it, and keep what is past the usual limit.

    Without an earlier run there is no baseline yet, and nothing is measured.
    """
    with database.reading() as session:
        account = run_account(session, run_id)
        if account.state != RunState.FINISHED or not account.done or account.shadow_of is not None:
            return
        found = drift_alarms(_drifts(session, account), MOST_DRIFT)
    if found:
        with database.writing() as session:
            note_drift(session, run_id, found)


def _drifts(session: Any, account: RunAccount) -> list[Drift]:
    earlier = [one.id for one in earlier_runs(session, account)]
    model = find_registration(session, account.model_digest)
    if not earlier or model is None:
        return []
    wanted = measures(model.labels)
    spreads = spreads_of(session, [measure for measure, _ in wanted], account.id, earlier)
    return [drift_from_earlier(measure, of, spread) for (measure, of), spread in zip(wanted, spreads, strict=True)]
