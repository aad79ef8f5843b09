"""Metrics of a receiver of films, kept as `wetread.metrics.work` keeps a worker's."""

from __future__ import annotations

from collections.abc import Mapping

WHYS = ("disk", "database")


class ReceiverMetrics:
    """A receiver's counters. Made once in a process."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge

        self._counters = {
            "answers": Counter(
                "wetread_receiver_answers", "C-STORE requests that were answered, by status.", ("status",),
                registry=None,
            ),
            "refused": Counter(
                "wetread_receiver_refused", "Connections and associations that were refused, by why.", ("why",),
                registry=None,
            ),
            "ended": Counter(
                "wetread_receiver_associations_ended", "Associations that were served, by how they ended.",
                ("ending",), registry=None,
            ),
        }  # fmt: skip
        self._associations = Gauge(
            "wetread_receiver_associations", "Associations that are served now.", registry=None,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._refusing = Gauge(
            "wetread_receiver_refusing", "Whether films are refused now, by why.", ("why",), registry=None,
            multiprocess_mode="livemax",
        )  # fmt: skip

    def add(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Add {(kind, word): how many}."""
        for (kind, word), count in counts.items():
            self._counters[kind].labels(word).inc(count)

    def set(self, associations: int, refusing: str | None) -> None:
        """Say how many associations there are, and why films are refused."""
        self._associations.set(associations)
        for why in WHYS:
            self._refusing.labels(why).set(why == refusing)
