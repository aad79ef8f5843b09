"""Predicts the pace of several workers on the same cores from the measured stages of one worker."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.simulation import simulate
from benchmarks.site_model import TOGETHER, Costs, Site

DATABASE = ("claim", "lookup", "settle")
"""Stages of a worker that ask the database."""


def foretold(stages: Mapping[str, float], *, workers: int, cores: int, batch: int, one_writer: bool) -> float:
    """Return films/s of `workers` that share `cores` with the database, from milliseconds a film of one alone.

    one_writer: whether claims and settles wait for one another, as on SQLite.
    """
    asked = {stage: stages[stage] / 1000 for stage in DATABASE}
    work = (sum(stages.values()) - sum(stages[stage] for stage in (*DATABASE, "wait"))) / 1000
    costs = Costs(
        work=work, claim=asked["claim"] * batch, settle=asked["settle"] * batch, lookup=asked["lookup"] * TOGETHER
    )
    site = Site(workers=workers, cores=cores, batch=batch, writers=1 if one_writer else 0)
    return simulate(costs, site).films_per_second
