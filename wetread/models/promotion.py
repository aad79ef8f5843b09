"""The conditions of a promotion: a safe audit, and figures no worse than what serves, or a reason for doing without.

Figures on films that the model learned from speak for nothing. Those that `wetread train` made of its validation or
test patients are in the model's metrics.json; `wetread evaluate --output` keeps others in the database.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import UnsafeError
from wetread.models.model_comparison import ModelStanding, shown
from wetread.store.models.registrations import AliasMove, Registration


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


def reason_for_figures(standing: ModelStanding, given: str | None) -> str | None:
    """Return the reason that is given where one is wanted; raise UnsafeError where it is wanted and not given.

    It is wanted of a model without figures, and of one that is worse than what serves: where the two were compared on
    the same films, surely so, its paired interval below 0; where they were not, by the figures of their cards.
    """
    fault = _fault(standing)
    if fault is None:
        return None
    reason = (given or "").strip()
    if not reason:
        raise UnsafeError(f"model {standing.model.reference}: {fault}; or say why it may serve all the same: "
                          "--accept-evaluation REASON")  # fmt: skip
    return reason


def _fault(standing: ModelStanding) -> str | None:
    model, serving = standing.model.reference, standing.serving
    if standing.measured is None:
        return (
            "expected figures with n, patients and intervals of films that it did not learn from, found none. Measure "
            f"it: wetread evaluate {model} DATA --output FOLDER"
        )
    if serving is None:
        return None
    if (of_both := standing.difference) is not None:
        worse = [f"{name} {shown(figure)}" for name, figure in of_both.figures.items() if figure["high"] < 0]
        if not worse:
            return None
        return (
            f"expected one that is not worse than {serving.reference}, found on the same {of_both.films} films of "
            f"{of_both.patients} patients, it minus the other: {', '.join(worse)}. Keep what serves, or train a better "
            "one"
        )
    if standing.serving_measured is None:
        return None
    ours, theirs = standing.measured.figures, standing.serving_measured.figures
    lower = [name for name in ours if name in theirs and ours[name]["value"] < theirs[name]["value"]]
    if not lower:
        return None
    said = "; ".join(f"{name} {shown(ours[name])} against {shown(theirs[name])}" for name in lower)
    return (
        f"expected figures that are not below those of {serving.reference}, found {said}, each on films of its own. "
        f"Measure both on the same films: wetread evaluate {model} DATA --against {serving.reference} --output FOLDER"
    )


def model_before(moves: Sequence[AliasMove]) -> str | None:
    """Return the digest that an alias goes back to; None where there is nothing before what it means now.

    moves: the alias's, the latest first. A promotion goes on from what served; going back takes the last promotion
    away, so that going back again reaches further back, and never what was just left.
    """
    served: list[str | None] = []
    for move in reversed(moves):
        if not served:
            served.append(move.previous_digest)
        if move.rolled_back and move.model_digest in served:
            while served[-1] != move.model_digest:
                served.pop()
        else:
            served.append(move.model_digest)
    return served[-2] if len(served) > 1 else None
