"""How a run's directories are walked, as options and as JSON."""

from __future__ import annotations

from os import fsencode
from typing import Any

from schemas.walk_rules import WalkRules
from wetread.path_text import path_text


def rules_text(rules: WalkRules) -> str:
    """Return the rules as they are shown of a run, as the options that give them; empty where there are none."""
    said = [f"--exclude {pattern}" for pattern in rules.exclude]
    said += ["--follow-links"] if rules.follow_links else []
    return " ".join([*said, *(f"--allow {path_text(fsencode(path))}" for path in rules.allow)])


def rules_json(rules: WalkRules) -> dict[str, Any]:
    """Return the rules as JSON shows them."""
    allow = [path_text(fsencode(path)) for path in rules.allow]
    return {"exclude": list(rules.exclude), "follow_links": rules.follow_links, "allow": allow}
