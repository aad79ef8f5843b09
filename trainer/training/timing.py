"""Where a training's time goes: making batches, the network's steps, reading validation films."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace

from trainer.training.batches import Batch, TrainingBatches
from trainer.training.lesson import Lesson, Progress, Report, Trained
from trainer.training.train import fit


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds. batches: shuffling, augmenting and scaling films. steps: of the network. evaluation: reading films."""

    batches: float
    steps: float
    evaluation: float

    def to_json(self) -> dict[str, float]:
        """Return the JSON form."""
        return {name: round(seconds, 2) for name, seconds in asdict(self).items()}


@dataclass
class _Watch:
    batches: float = 0.0
    validation: float = 0.0
    last: float = 0.0


@dataclass(frozen=True)
class _TimedBatches(TrainingBatches):
    watch: _Watch = field(default_factory=_Watch)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        made = super().__call__(epoch)
        while True:
            started = time.perf_counter()
            batch = next(made, None)
            self.watch.batches += time.perf_counter() - started
            if batch is None:
                return
            yield batch


def fit_timed(lesson: Lesson) -> tuple[Trained, Spent]:
    """Train as `trainer.training.train.fit` does, and return where the time went."""
    watch = _Watch()
    made = {part.name: getattr(lesson.batches, part.name) for part in fields(lesson.batches)}
    timed = replace(lesson, batches=_TimedBatches(**made, watch=watch), report=_noting(lesson.report, watch))
    trained = fit(timed)
    whole = sum(trained.history.seconds)
    return trained, Spent(watch.batches, max(0.0, whole - watch.batches - watch.validation), watch.validation)


def _noting(report: Report, watch: _Watch) -> Report:
    """Return a report that also notes what passes between an epoch's last batch and its validation figures."""

    def noted(progress: Progress) -> None:
        if progress.val_loss is not None:
            watch.validation += time.perf_counter() - watch.last
        report(progress)
        watch.last = time.perf_counter()

    return noted
