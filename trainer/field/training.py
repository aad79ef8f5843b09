"""Trains the segmenter on films with masks, on the project's own engine.

The loss of a film is the mean binary cross-entropy of its pixels and 1 - the soft Dice coefficient (Milletari, Navab
and Ahmadi 2016, "V-Net"): with p the probabilities and t the mask, D = (2 Σ p t + 1) / (Σ p + Σ t + 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.pixels import Films
from trainer.field.segmenter import segmenter
from trainer.training.augment import Augmentation
from wetread.engine.array import Array
from wetread.engine.network import Network
from wetread.engine.optimizers.adam import Adam
from wetread.engine.schedules import CosineDecay
from wetread.engine.training import check_loss, check_weights
from wetread.models.field_network import FieldFinder, segmenter_input

BATCH = 16
RATE = 0.003
_CHANGES = Augmentation(
    shift=0.08, rotation=10.0, scale=0.15, contrast=0.3, gamma=0.4, blur=0.8, flip=0.5, compression=0
)
_STILL = {"contrast": 0.0, "gamma": 0.0, "blur": 0.0}
"""What a mask is not changed by."""


@dataclass(frozen=True)
class MaskedFilms:
    """Grey levels (n, side, side) uint8, and masks, 255 inside, of the same shape."""

    films: Films
    masks: Films

    def chosen(self, indices: npt.NDArray[np.int64]) -> MaskedFilms:
        """Return some of them."""
        return MaskedFilms(self.films[indices], self.masks[indices])


def train_segmenter(
    training: MaskedFilms, *, epochs: int, seed: int, report: Callable[[int, float], None] | None = None
) -> FieldFinder:
    """Return a segmenter trained on these films; report is called with (epochs done, mean loss of the last).

    The same films, epochs and seed give the same segmenter. Raises DataError where the loss is no longer finite.
    """
    architecture = segmenter(training.films.shape[1])
    network = Network(architecture, seed=seed)
    optimizer = Adam(RATE)
    batches = max(1, len(training.films) // BATCH)
    rate = CosineDecay(RATE, steps=max(1, (epochs - 1) * batches), warmup=batches)
    for epoch in range(epochs):
        order = np.random.default_rng((seed, epoch)).permutation(len(training.films))
        total = 0.0
        for number, chosen in enumerate(np.array_split(order, batches)):
            films, masks = changed(training.chosen(chosen), chosen, seed, epoch)
            optimizer.learning_rate = rate(epoch * batches + number + 1)
            loss, dlogits = masked_loss(network.forward(segmenter_input(films), training=True), masks)
            check_loss(loss, epoch)
            network.backward(dlogits)
            optimizer.step(network.parameter_vector, network.gradient_vector)
            total += loss * len(chosen)
        check_weights(network.weights(), epoch)
        if report is not None:
            report(epoch + 1, total / len(order))
    return FieldFinder(architecture, network.weights())


def changed(
    films: MaskedFilms, indices: npt.NDArray[np.int64], seed: int, epoch: int
) -> tuple[Films, npt.NDArray[np.float32]]:
    """Return the films changed a little, and their masks moved alike, from 0 to 1, (n, side, side, 1)."""
    how = [{"seed": seed, "epoch": epoch, "index": int(index)} for index in indices]
    moved = Augmentation(**_CHANGES.to_json() | _STILL)
    levels = np.stack([_CHANGES.apply(film, **one) for film, one in zip(films.films, how, strict=True)])
    masks = np.stack([moved.apply(mask, **one) for mask, one in zip(films.masks, how, strict=True)])
    return levels, np.asarray(masks, np.float32)[..., np.newaxis] / np.float32(255)


def masked_loss(logits: Array, masks: Array) -> tuple[float, Array]:
    """Return the mean loss of the films and its gradient by the logits, both of shape (n, side, side, 1)."""
    n, pixels = len(logits), int(np.prod(logits.shape[1:]))
    shares = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    entropy = np.maximum(logits, 0) - logits * masks + np.log1p(np.exp(-np.abs(logits)))
    axes = (1, 2, 3)
    both = (shares * masks).sum(axis=axes, keepdims=True)
    size = (shares + masks).sum(axis=axes, keepdims=True) + 1
    dice = (2 * both + 1) / size
    loss = float(entropy.mean() + (1 - dice).mean())
    dshares = -(2 * masks - dice) / size
    dlogits = (shares - masks) / pixels + dshares * shares * (1 - shares)
    return loss, dlogits / n
