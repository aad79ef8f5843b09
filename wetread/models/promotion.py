"""What an alias's move asks of a model: an audit that found its data safe, and figures that speak for it.

Figures on films that the model learned from speak for nothing. Those that `wetread train` made of its validation or
test patients are in the model's metrics.json; `wetread evaluate --output` keeps others in the database.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import UnsafeError
from wetread.models.strict_json import parse
from wetread.store.database import Database
from wetread.store.evaluations import Figure, StoredEvaluation, latest_comparison, latest_evaluation
from wetread.store.registrations import Registration, find_registration

METRICS = "metrics.json"

COMPARED = ("accuracy", "balanced_accuracy", "macro_auroc")
"""A model is worse than another when it surely is in one of these: the paired interval lies below 0."""


def reason_for_audit(model: Registration, findings: Sequence[str], given: str | None) -> str | None:
    """Return the reason that is given where one is wanted; raise UnsafeError where it is wanted and not given.

    findings: what the audit of the model's data found unsafe.
    """
    reason = (given or "").strip()
    if findings and not reason:
        raise UnsafeError(
            f"model {model.reference}: the audit found its data unsafe: {'; '.join(findings)}. Mend it and train "
            "again, or say why the model may serve all the same: --accept-audit REASON"
        )
    return reason if findings else None


def reason_for_figures(
    database: Database, model: Registration, metrics: bytes | None, serving: str | None, given: str | None
) -> str | None:
    """Return the reason that is given where one is wanted; raise UnsafeError where it is wanted and not given.

    metrics: the model's metrics.json. serving: digest of what the alias means now.
    """
    with database.reading() as session:
        measured = latest_evaluation(session, model.digest) is not None
        other = None if serving is None else find_registration(session, serving)
        comparison = None if other is None else latest_comparison(session, model.digest, other.digest)
    measured = measured or (metrics is not None and has_own_figures(metrics))
    try:
        _check_figures(model, measured=measured, serving=other, comparison=comparison)
    except UnsafeError:
        if given is None:
            raise
        return given
    return None


def has_own_figures(metrics: bytes) -> bool:
    """Return whether a metrics.json holds figures of patients that the model did not learn from, with an interval."""
    body = parse(metrics, METRICS)
    return any(_is_evaluation(body.get(side)) for side in ("test", "validation"))


def _is_evaluation(body: object) -> bool:
    if not isinstance(body, dict) or not all(_is_number(body.get(count)) and body[count] > 0 for count in _COUNTS):
        return False
    return any(
        isinstance(figure := body.get(name), dict) and all(_is_number(figure.get(part)) for part in _PARTS)
        for name in COMPARED
    )


_COUNTS = ("n", "patients")
_PARTS = ("value", "low", "high")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_figures(
    model: Registration, *, measured: bool, serving: Registration | None, comparison: StoredEvaluation | None
) -> None:
    """Raise UnsafeError where no figures speak for `model`, or some against it.

    measured: there are figures of it on films that it did not learn from. serving: what the alias means now.
    comparison: of the two on the same films, whichever was named first.
    """
    reason = "or say why it may serve all the same: --accept-evaluation REASON"
    if not measured:
        raise UnsafeError(
            f"model {model.reference}: expected figures with n, patients and intervals of films that it did not learn "
            f"from, found none. Measure it: wetread evaluate {model.reference} DATA --output FOLDER; {reason}"
        )
    if serving is None or comparison is None:
        return
    worse = [f"{name} {_shown(figure)}" for name, figure in _minus(model, comparison).items() if figure["high"] < 0]
    if worse:
        raise UnsafeError(
            f"model {model.reference}: expected one that is not worse than {serving.reference}, found on the same "
            f"{comparison.films} films of {comparison.patients} patients, it minus the other: {', '.join(worse)}. Keep "
            f"what serves, or train a better one; {reason}"
        )


def _minus(model: Registration, comparison: StoredEvaluation) -> dict[str, Figure]:
    """Return the model's figures minus the other's."""
    figures = {name: comparison.figures[name] for name in COMPARED if name in comparison.figures}
    if comparison.model_digest == model.digest:
        return figures
    return {name: {"value": -f["value"], "low": -f["high"], "high": -f["low"]} for name, f in figures.items()}


def _shown(figure: Figure) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
