"""Reads the shortcut panel from a finished model's metrics.json."""

from __future__ import annotations

from typing import Any

from schemas.errors import ArtefactError
from trainer.shortcuts.table import above_shortcuts
from wetread.models.strict_json import parse

METRICS = "metrics.json"


def shortcuts_of(metrics: bytes) -> dict[str, Any] | None:
    """Return the shortcut panel of `metrics`, and as `side` whose patients it was made on; None where it has none.

    `said` has its main figure in words. Raises ArtefactError when it is malformed.
    """
    body = parse(metrics, METRICS)
    if body.get("shortcuts") is None:
        return None
    try:
        side = "test" if "test" in body else "validation"
        return {"side": side, "said": above_shortcuts(body["shortcuts"]), **body["shortcuts"]}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtefactError(
            f"{METRICS}: expected the figures of the shortcut panel, found others ({error!r}); fetch the model again"
        ) from error
