"""How far a model's maps are to be trusted, as JSON and as a part of its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wetread.clock import utc_text
from wetread.store.models.map_checks import KeptMapCheck


def map_check_json(check: KeptMapCheck) -> dict[str, Any]:
    """Return one object of `explain check --json`, and of `models show --json`."""
    return {
        "method": check.method, "films": check.films, "refused": check.refused,
        "checked_at": utc_text(check.checked_at), **check.figures,
    }  # fmt: skip


def map_checks_card(checks: Mapping[str, KeptMapCheck]) -> str:
    """Return a part of a model's card, as Markdown; empty where nothing was checked."""
    if not checks:
        return ""
    lines = [
        "## How far its maps are to be trusted", "",
        "Deletion (low is good) and insertion (high is good), with cells filled by the film's mean and by its blur;",
        "the score's lead over a random order and over the centre, with 95% intervals by film. Measured by",
        "`wetread explain check`.", "",
        "| method | films | deletion | insertion | over random | over the centre | stable | |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in checks.values():
        shown = one.figures
        cells = [_two(shown["deletion"]), _two(shown["insertion"])]
        cells += [_lead(shown["above"][name]) for name in ("random", "centre")] + [f"{shown['stable']:.2f}"]
        lines.append(
            f"| {one.method} | {one.films} | {' | '.join(cells)} | {'refused' if one.refused else 'shown'} |"
        )  # fmt: skip
    lines += ["", "With its weights shuffled, layer by layer from the last, a map should be another, near 0:", ""]
    for one in checks.values():
        fallen = ", ".join(f"{layer} {value:+.2f}" for layer, value in one.figures["broken"])
        lines.append(f"- {one.method}: {fallen or 'not measured, since it has no layers of our own to shuffle'}")
    return "\n".join([*lines, ""])


def _two(by_fill: Mapping[str, float]) -> str:
    return ", ".join(f"{value:.2f}" for value in by_fill.values())


def _lead(found: tuple[float, float, float]) -> str:
    value, low, high = found
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
