"""A site that screens an archive, as discrete events: workers that claim, read, look up, compute and settle.

What they wait for: the link to the archive, the database's cores, the row of a run that settling holds until it has
committed, the one writer of SQLite, Redis, and messages, of which so many are on their way at most.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.events import Clock, Resource, Steps

TOGETHER = 16
"""Films that a worker looks up together, and whose files are fetched while those before are worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a film or a batch costs, in seconds; round trips are counted.

    work: of a worker's core, a film: all that it does but ask the database; spread: its deviation by its mean.
    client: of a worker's core, a batch: its own side of claim and settle; held_client: while its run's row is locked.
    file_bytes: of a film, over the link.
    claim, lookup, settle, held: of a database's core: taking a batch, looking up TOGETHER films, settling a batch
    until its run's row is locked, and from then on. trips: how often the worker waits for the network meanwhile.
    flush: until a commit is on disk. message: of Redis's core, to hand a message in or out.
    """

    work: float
    client: float = 0.0
    held_client: float = 0.0
    spread: float = 0.0
    file_bytes: float = 0.0
    claim: float = 0.0
    claim_trips: float = 0.0
    lookup: float = 0.0
    lookup_trips: float = 0.0
    settle: float = 0.0
    settle_trips: float = 0.0
    held: float = 0.0
    held_trips: float = 0.0
    flush: float = 0.0
    message: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Who works there.

    workers: processes; cores: that they share with the database, 0 where each has one and the database its own.
    database_cores; writers: transactions that may write at once, 0 for any number; runs: that are read at once.
    round_trip: seconds; bandwidth: of the link, bytes/s, 0 for any.
    high_water: batches rung for and not settled at most, 0 without messages; ring_seconds: between two rings.
    """

    workers: int
    cores: int = 0
    batch: int = 64
    database_cores: int = 8
    writers: int = 0
    runs: int = 1
    round_trip: float = 0.0
    bandwidth: float = 0.0
    high_water: int = 0
    ring_seconds: float = 0.2


class SiteModel:
    """A site at work, from when its workers start, one after another within a batch's time.

    ends: when each batch was settled, seconds. resources: those that can be short, by name.
    """

    def __init__(self, costs: Costs, site: Site, seed: int = 0) -> None:
        self.clock, self.ends = Clock(), list[float]()
        self._costs, self._site = costs, site
        self._random = random.Random(seed)  # noqa: S311 - a draw, no secret
        clock = self.clock
        self._cores = Resource(clock, site.cores) if site.cores else None
        self._database = self._cores or Resource(clock, site.database_cores)
        self._rows = [Resource(clock, 1) for _ in range(site.runs)]
        self._writer = Resource(clock, site.writers) if site.writers else None
        self._link, self._redis = Resource(clock, 1), Resource(clock, 1)
        self.messages, self._outstanding = Resource(clock, 0), 0
        named = {"database": self._database, "writer": self._writer, "link": self._link, "redis": self._redis}
        self.resources = {name: resource for name, resource in named.items() if resource is not None}
        self.resources |= {f"run {number}": row for number, row in enumerate(self._rows, 1)}
        self.cycle = self._costs.work * site.batch or 1e-3
        if site.high_water:
            clock.start(self._ring())
        for number in range(site.workers):
            clock.start(self._work(self._rows[number % site.runs]), after=self.cycle * number / site.workers)

    def run(self, batches: int) -> None:
        """Go on until so many batches are settled, all in all."""
        while len(self.ends) < batches:
            self.clock.run(self.clock.now + self.cycle / 4)

    def _ring(self) -> Steps:
        while True:
            count = self._site.high_water - self._outstanding
            self._outstanding += count
            yield from self._use(self._redis, count * self._costs.message)
            self.messages.add(count)
            yield self._site.ring_seconds

    def _work(self, row: Resource) -> Steps:
        costs, site = self._costs, self._site
        while True:
            if site.high_water:
                yield self.messages
                yield from self._use(self._redis, costs.message)
            yield from self._claim()
            yield from self._read()
            yield from self._settle(row)
            self.ends.append(self.clock.now)
            self._outstanding -= 1

    def _claim(self) -> Steps:
        if self._writer is not None:
            yield self._writer
        yield from self._ask(self._costs.claim, self._costs.claim_trips)
        yield self._costs.flush
        if self._writer is not None:
            self._writer.free()

    def _read(self) -> Steps:
        left, fetched = self._site.batch, self.clock.start(self._fetch(min(TOGETHER, self._site.batch)))
        yield from self._compute(self._costs.client, 1)
        while left:
            yield fetched
            films = min(TOGETHER, left)
            left -= films
            if left:
                fetched = self.clock.start(self._fetch(min(TOGETHER, left)))
            yield from self._ask(self._costs.lookup, self._costs.lookup_trips)
            yield from self._compute(self._costs.work, films)

    def _fetch(self, films: int) -> Steps:
        if self._site.bandwidth:
            yield from self._use(self._link, films * self._costs.file_bytes / self._site.bandwidth)

    def _compute(self, seconds: float, times: int) -> Steps:
        """Use a core, film by film where others want it too."""
        drawn = [self._drawn(seconds) for _ in range(times)]
        if self._cores is None:
            yield sum(drawn)
            return
        for each in drawn:
            yield from self._use(self._cores, each)

    def _drawn(self, mean: float) -> float:
        """Return seconds of a gamma distribution with this mean: films differ, and none takes less than no time."""
        variance = self._costs.spread**2
        return self._random.gammavariate(1 / variance, mean * variance) if variance and mean else mean

    def _settle(self, row: Resource) -> Steps:
        if self._writer is not None:
            yield self._writer
        yield from self._ask(self._costs.settle, self._costs.settle_trips)
        yield row
        yield from self._ask(self._costs.held, self._costs.held_trips)
        yield from self._compute(self._costs.held_client, 1)
        yield self._costs.flush
        row.free()
        if self._writer is not None:
            self._writer.free()

    def _ask(self, seconds: float, trips: float) -> Steps:
        yield trips * self._site.round_trip
        yield from self._use(self._database, seconds)

    def _use(self, resource: Resource, seconds: float) -> Steps:
        if seconds:
            yield resource
            yield seconds
            resource.free()
