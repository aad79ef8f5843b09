"""Metrics of beat's port: the totals of all work, asked of the database at each scrape.

These stay true whichever process restarts. They are gauges although most of them only grow: when somebody deletes a
run they fall, which a counter's reader would take for a restart from 0, and count everything again.
"""

from __future__ import annotations

import time
from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.errors import WetreadError
from wetread.metrics.port import BuildInfo, Collector
from wetread.store.runs.totals import Totals
from wetread.store.work.workers import SeenWorker
from wetread.supervised_threads import say_missed

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

Sample = tuple[tuple[str, ...], float]


def beat_registry(standing: BeatCollector, *own: Collector) -> CollectorRegistry:
    """Return what beat's port shows. own: what its own processes count, where they read the films."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    collectors: tuple[Collector, ...] = (BuildInfo("beat"), standing, *own)
    for collector in collectors:
        registry.register(collector)
    return registry


@dataclass(slots=True, eq=False)
class BeatCollector:
    """Asks database and broker at each scrape; if one is away, the metrics say so and the other's remain."""

    totals: Callable[[], Totals]
    workers: Callable[[], list[SeenWorker]]
    queue: Callable[[], int] | None
    sweeps: Count[str] = field(default_factory=Count)

    def swept(self, made: bool) -> None:
        """Count a sweep of this process."""
        self.sweeps["made" if made else "missed"] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of beat."""
        from prometheus_client.core import CounterMetricFamily

        try:
            totals, workers = self.totals(), self.workers()
        except Exception as error:  # noqa: BLE001 - what is known without it is said all the same
            if not isinstance(error, WetreadError):
                say_missed("a scrape could not ask the database", error)
            yield _gauge("wetread_database_up", "Whether the database answers.", [((), 0)])
        else:
            yield _gauge("wetread_database_up", "Whether the database answers.", [((), 1)])
            yield from _of_totals(totals)
            yield _of_workers(workers)
        yield from self._of_queue()
        sweeps = CounterMetricFamily("wetread_sweeps", "Sweeps, by whether they were made.", labels=("result",))
        for result in ("made", "missed"):
            sweeps.add_metric((result,), self.sweeps[result])
        yield sweeps

    def _of_queue(self) -> Iterator[Metric]:
        if self.queue is None:
            return
        try:
            waiting = self.queue()
        except Exception as error:  # noqa: BLE001 - the same
            if not isinstance(error, WetreadError):
                say_missed("a scrape could not ask the broker", error)
            yield _gauge("wetread_broker_up", "Whether the broker answers.", [((), 0)])
            return
        yield _gauge("wetread_broker_up", "Whether the broker answers.", [((), 1)])
        yield _gauge("wetread_queue_messages", "Messages that wait in the broker.", [((), waiting)])


def _of_totals(totals: Totals) -> Iterator[Metric]:
    yield _gauge(
        "wetread_films", "Films of all runs, by state and reason.", sorted(totals.films.items()), ("state", "reason")
    )
    runs = [((state,), count) for state, count in sorted(totals.runs.items())]
    yield _gauge("wetread_runs", "Runs, by state.", runs, ("state",))
    yield _gauge("wetread_batches_unsettled", "Batches of running runs with films left.", [((), totals.unsettled)])
    yield _gauge("wetread_batches_held", "Of these, those that a worker has.", [((), totals.held)])
    yield _gauge(
        "wetread_leases_expired", "Of these, those whose worker is silent past its lease.", [((), totals.expired)]
    )
    yield _gauge(
        "wetread_batches_abandoned",
        "Times that a worker died, or let its lease run out and is silent since, with a batch in hand.",
        [((), totals.abandoned)],
    )  # fmt: skip
    yield _gauge(
        "wetread_schedule_ticks", "Moments of schedules, by what became of them.",
        sorted(totals.ticks.items()), ("kind", "outcome"),
    )  # fmt: skip
    yield _gauge(
        "wetread_alarms", "What is to be looked into of the latest run of each set of roots, by kind.",
        [((kind,), count) for kind, count in sorted(totals.alarms.items())], ("kind",),
    )  # fmt: skip
    came = totals.received
    yield _gauge(
        "wetread_received_films", "Films that came over the network, by whether a run has taken them.",
        [(("taken",), came.taken), (("waiting",), came.waiting)], ("state",),
    )  # fmt: skip
    yield _gauge("wetread_received_conflicts", "Of these, other bytes of one SOP instance.", [((), came.conflicts)])
    yield _gauge("wetread_received_copies", "Times that a film came again.", [((), came.copies)])
    yield _gauge("wetread_received_not_wanted", "Objects that were not kept.", [((), came.not_wanted)])
    yield _gauge(
        "wetread_deliveries", "Reports for PACS, by state.",
        [((state,), count) for state, count in sorted(totals.deliveries.items())], ("state",),
    )  # fmt: skip
    yield _gauge(
        "wetread_pulls", "What is fetched from PACS, by state.",
        [((state,), count) for state, count in sorted(totals.pulls.items())], ("state",),
    )  # fmt: skip
    models = [((alias, model, digest), 1.0) for alias, (model, digest) in sorted(totals.models.items())]
    yield _gauge("wetread_model_info", "What an alias stands for.", models, ("alias", "model", "digest"))
    yield _gauge(
        "wetread_clock_skew_seconds", "The database's clock minus that of beat's machine.",
        [((), totals.database_seconds - time.time())],
    )  # fmt: skip


def _of_workers(workers: list[SeenWorker]) -> Metric:
    counts = Count((str(one.kind), "alive" if one.alive else "silent") for one in workers)
    every = [(kind, state) for kind in ("service", "process") for state in ("alive", "silent")]
    return _gauge(
        "wetread_workers", "Workers (services) and their processes that read films, by whether they were heard of.",
        [(labels, counts[labels]) for labels in every], ("kind", "state"),
    )  # fmt: skip


def _gauge(name: str, says: str, samples: Iterable[Sample], labels: tuple[str, ...] = ()) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, says, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
