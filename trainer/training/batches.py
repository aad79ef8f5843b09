"""The batches of an epoch: shuffled, augmented and scaled, the same for Keras and for the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError
from trainer.data.pixels import Films
from trainer.training.augment import NO_AUGMENTATION, Augmentation
from wetread.imaging.preprocess import Preprocess

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""Images (n, height, width, 1) as the network takes them, and labels (n,)."""


@dataclass(frozen=True)
class TrainingBatches:
    """Calling it with an epoch, from 0, gives that epoch's batches; the same epoch gives the same ones.

    films: (n, height, width); targets: (n,) class numbers.
    batch_size: the most films of a batch; the batches of an epoch differ by one film at most.
    """

    films: Films
    targets: npt.NDArray[np.int64]
    preprocess: Preprocess
    augmentation: Augmentation = NO_AUGMENTATION
    batch_size: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < len(self.films) == len(self.targets) or self.batch_size < 1:
            raise DataError(
                f"expected films, a label for each and batches of 1 or more, found {len(self.films)} films, "
                f"{len(self.targets)} labels and batches of {self.batch_size}"
            )

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-len(self.films) // self.batch_size)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """Yield the epoch's batches."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.films))
        # Evenly: a last batch of a film or two would give batch normalisation statistics of no worth, just before
        # the validation films are read with them.
        for chosen in np.array_split(order, len(self)):
            changed = np.stack([self._changed(int(index), epoch) for index in chosen])
            yield self.preprocess.scaled(changed)[..., np.newaxis], self.targets[chosen]

    def _changed(self, index: int, epoch: int) -> Films:
        if self.augmentation == NO_AUGMENTATION:
            return np.asarray(self.films[index])
        return self.augmentation.apply(self.films[index], seed=self.seed, epoch=epoch, index=index)


def balanced_weights(targets: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float64]:
    """Return a weight a class, n / (classes * n_class): every label then counts the same in the loss.

    Raises DataError when a class has no film.
    """
    counts = np.bincount(targets, minlength=classes)
    if counts.min() == 0:
        raise DataError(f"label number {int(counts.argmin())} has no training film: add some, or leave the label out")
    return np.asarray(len(targets) / (classes * counts))
