"""The protocol of what reads a run's batches: our own pool, or workers behind the broker."""

from __future__ import annotations

from typing import Protocol


class Readers(Protocol):
    """Our own pool, or workers behind the broker."""

    def start(self) -> None:
        """Begin."""

    def watch(self, seconds: float) -> None:
        """Wait up to `seconds`, and keep the readers going."""

    def stop(self) -> None:
        """End in order."""
