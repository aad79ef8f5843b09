"""Simulates how many films a second some workers read, and which resource runs out first, from a film's cost.

    python -m benchmarks.simulation [--workers 1 2 4 … 1024] [--films 50000000] [--work 0.0098] [--round-trip 0.0005] …

Every cost is an option, in seconds, with what docs/scaling.md has measured as its default; `benchmarks.growth` and
`benchmarks.ceilings` measure them. Prints Markdown: for each number of workers the pace, that by so many times one
worker's, how busy the database, the run's row and the link are, what is short, and the days for the archive.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from benchmarks.site_model import Costs, Site, SiteModel

WARM_UP, MEASURED = 4, 12
"""Batches a worker, before and while the pace is taken."""

LEAST_MEASURED = 300
"""Batches, so that few workers' films are not those that a draw happened to give."""

BUSY = 0.9
"""A resource that is had this much of the time, or more, is short."""

MEASURED_COSTS = Costs(
    work=0.0098, client=0.015, held_client=0.0, spread=1.0, file_bytes=415e3, claim=0.0013, claim_trips=3,
    lookup=0.0002, lookup_trips=2, settle=0.0046, settle_trips=3, held=0.0015, held_trips=0, flush=0.001,
    message=0.00015,
)  # fmt: skip
"""Of the sample archive's films, on the cores of docs/scaling.md."""

HOSPITAL = Site(workers=1, round_trip=0.0005, bandwidth=1.25e9, high_water=256)


@dataclass(frozen=True, slots=True)
class Pace:
    """films_per_second; busy: {resource: share of its time}; starved: the share of the workers that had no message."""

    films_per_second: float
    busy: dict[str, float]
    starved: float

    @property
    def short(self) -> str:
        """What more workers would wait for; "workers" where nothing is short but they."""
        name = max(self.busy, key=self.busy.__getitem__)
        if self.busy[name] >= BUSY:
            return name
        return "messages" if self.starved > 1 - BUSY else "workers"


def simulate(costs: Costs, site: Site, seed: int = 0) -> Pace:
    """Return the steady pace of a site."""
    model = SiteModel(costs, site, seed)
    model.run(WARM_UP * site.workers)
    first, began = len(model.ends), model.clock.now
    counted = (*model.resources.values(), model.messages)
    for resource in counted:
        resource.reset()
    model.run(first + max(LEAST_MEASURED, MEASURED * site.workers))
    seconds = model.clock.now - began
    pace = site.batch * (len(model.ends) - first) / (model.ends[-1] - model.ends[first - 1])
    busy = {name: resource.utilisation(seconds) for name, resource in model.resources.items()}
    return Pace(pace, busy, model.messages.queue_length(seconds) / site.workers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[2**power for power in range(11)])
    parser.add_argument("--films", type=int, default=50_000_000)
    for defaults in (MEASURED_COSTS, HOSPITAL):
        for each in fields(defaults):
            if each.name != "workers":
                value = getattr(defaults, each.name)
                parser.add_argument(f"--{each.name.replace('_', '-')}", type=type(value), default=value)
    given = parser.parse_args(arguments)
    costs = Costs(**{each.name: getattr(given, each.name) for each in fields(Costs)})
    site = Site(**{each.name: getattr(given, each.name) for each in fields(Site) if each.name != "workers"}, workers=1)
    one = simulate(costs, site).films_per_second
    print("| workers | films/s | by workers x one | database | run's row | link | short | days |")
    print("|---|---|---|---|---|---|---|---|")
    for workers in given.workers:
        pace = simulate(costs, replace(site, workers=workers))
        rate = pace.films_per_second
        row = max(share for name, share in pace.busy.items() if name.startswith("run "))
        shares = " | ".join(f"{share:.0%}" for share in (pace.busy["database"], row, pace.busy["link"]))
        days = given.films / rate / 86_400
        print(f"| {workers:,} | {rate:,.1f} | {rate / workers / one:.2f} | {shares} | {pace.short} | {days:,.1f} |")


if __name__ == "__main__":
    main()
