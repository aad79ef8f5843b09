"""How hard the harness tries: the quick form of `make test`, or the full one of `make chaos`.

CHAOS=full          the full form: 100,000 films, and every fault as often as the promise names
CHAOS_FILMS=N       other than that many films, where there is less time
CHAOS_SEED=N        repeat the moments of an earlier run; each test prints the seed that it used
"""

from __future__ import annotations

import os
import random

FULL = os.environ.get("CHAOS") == "full"

FILMS = int(os.environ.get("CHAOS_FILMS", "0")) or (100_000 if FULL else 2_000)
"""Films of an archive that a fault is let loose on."""

PATIENCE = 3000.0 if FULL else 120.0
"""Seconds that one command may take over them."""

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


def times(full: int, quick: int) -> int:
    """Return how often a fault happens."""
    return full if FULL else quick


def ways(quick: str) -> list[str]:
    """Return the ways in which a fault is tried: both in the full form, `quick` in the quick one."""
    return ["embedded", "served"] if FULL else [quick]


def moments(scenario: str) -> random.Random:
    """Return the source of a scenario's moments, the same for the same seed."""
    print(f"CHAOS_SEED={SEED}")  # noqa: T201 - pytest shows it when the test fails
    return random.Random(f"{scenario} {SEED}")  # noqa: S311 - moments, no secrets
