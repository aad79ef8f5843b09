from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import DataError
from trainer.training.augment import Augmentation
from trainer.training.batches import TrainingBatches, balanced_weights
from wetread.imaging.preprocess import Preprocess

PREPROCESS = Preprocess(height=16, width=16, mean=0.5, std=0.25)
FILMS = np.random.default_rng(0).integers(0, 256, (21, 16, 16), dtype=np.uint8)
TARGETS = np.arange(21) % 3


def batches(**options: object) -> TrainingBatches:
    return TrainingBatches(FILMS, TARGETS, PREPROCESS, **options)  # type: ignore[arg-type] # options by name


def test_an_epoch_shows_every_film_once_as_the_network_takes_it() -> None:
    epoch = list(batches(batch_size=8)(0))
    assert [len(labels) for _, labels in epoch] == [7, 7, 7] and len(batches(batch_size=8)) == 3
    images = np.concatenate([images for images, _ in epoch])
    labels = np.concatenate([labels for _, labels in epoch])
    assert images.shape == (21, 16, 16, 1) and images.dtype == np.float32
    shown = [int(np.flatnonzero((PREPROCESS.scaled(FILMS) == image[..., 0]).all(axis=(1, 2)))[0]) for image in images]
    assert sorted(shown) == list(range(21)) and shown != list(range(21))
    assert np.array_equal(labels, TARGETS[shown])


@pytest.mark.parametrize(("batch_size", "sizes"), [(20, [11, 10]), (10, [7, 7, 7]), (32, [21]), (6, [6, 5, 5, 5])])
def test_no_batch_is_left_with_a_film_or_two(batch_size: int, sizes: list[int]) -> None:
    assert [len(labels) for _, labels in batches(batch_size=batch_size)(0)] == sizes


def test_an_epoch_repeats_and_the_next_is_another() -> None:
    def pixels(seed: int, epoch: int) -> np.ndarray:
        return np.concatenate([images for images, _ in batches(augmentation=Augmentation(), seed=seed)(epoch)])

    assert np.array_equal(pixels(1, 3), pixels(1, 3))
    assert not np.array_equal(pixels(1, 3), pixels(1, 4))
    assert not np.array_equal(pixels(1, 3), pixels(2, 3))


def test_a_films_change_does_not_depend_on_its_batch() -> None:
    def film_of(batch_size: int) -> dict[float, int]:
        return {
            float(image.sum(dtype=np.float64)): int(label)
            for images, labels in batches(batch_size=batch_size, augmentation=Augmentation())(1)
            for image, label in zip(images, labels, strict=True)
        }

    assert film_of(4) == film_of(21)


def test_what_cannot_be_batched_is_refused() -> None:
    with pytest.raises(DataError, match="0 films"):
        TrainingBatches(FILMS[:0], TARGETS[:0], PREPROCESS)
    with pytest.raises(DataError, match="20 labels"):
        TrainingBatches(FILMS, TARGETS[:20], PREPROCESS)
    with pytest.raises(DataError, match="batches of 0"):
        batches(batch_size=0)


def test_class_weights_make_every_label_count_the_same() -> None:
    targets = np.array([0] * 6 + [1] * 3 + [2])
    weights = balanced_weights(targets, 3)
    assert weights[targets].sum() == pytest.approx(10)
    assert [weights[label] * (targets == label).sum() for label in range(3)] == pytest.approx([10 / 3] * 3)
    with pytest.raises(DataError, match="label number 3 has no training film"):
        balanced_weights(targets, 4)
