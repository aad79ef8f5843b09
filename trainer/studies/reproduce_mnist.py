"""Repeats the paper's MNIST study: what `wetread reproduce mnist` does.

Four rows, as in its table: a DNN and a CNN from scratch, the same DNN in PyTorch, the same CNN in
TensorFlow. A network and its twin start from the same weights and take the same batches in the same order
with the same optimizer settings. The accuracy is that of the last epoch on the test images, which nothing
is chosen on; every training is done with several seeds (first weights and order), the images are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from schemas.errors import UsageError
from trainer.studies import paper
from trainer.studies.digits import SIDE, TRAINING_IMAGES, Digits
from trainer.studies.mnist_study import ROWS, Row, Study, Trial
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.ledger import Ledger
from trainer.training.lesson import Lesson, Trained, make_lesson
from trainer.training.libraries import library_versions
from trainer.training.options import TrainingOptions
from wetread.engine.history import History
from wetread.imaging.preprocess import Preprocess

_OPTIONS = TrainingOptions(
    batch_size=32, schedule="constant", label_smoothing=0.0, class_weights=False, augmentation=NO_AUGMENTATION
)
_SCALE = Preprocess(height=SIDE, width=SIDE)
"""For its last step alone: grey levels from 0 to 1."""


def reproduce_mnist(
    digits: Digits,
    optimizers: Sequence[str],
    *,
    seeds: int = 5,
    epochs: int = paper.MNIST_EPOCHS,
    threads: int | None = None,
    folder: bytes | None = None,
    done: Callable[[int, int, str], None] | None = None,
) -> Study:
    """Train every row that is installed with every optimizer and seed.

    threads: that a framework may use; None leaves it to them.
    folder: where finished trainings are kept, so that the same call goes on after a kill.
    done: called with (trainings done, trainings in all, the last one in words).
    """
    if not optimizers or seeds < 1 or epochs < 1:
        raise UsageError(
            f"expected an optimizer, a seed and an epoch or more, found {len(optimizers)}, {seeds}, {epochs}"
        )
    setting = _setting(digits, epochs)
    ledger = Ledger(setting, folder)
    rows = [row for row in ROWS if row.installed]
    wanted = [(row, optimizer, seed) for row in rows for optimizer in optimizers for seed in range(seeds)]
    histories: dict[tuple[str, str], dict[int, History]] = {}
    for count, (row, optimizer, seed) in enumerate(wanted, start=1):
        entry = f"{row.name}, {optimizer}, seed {seed}"
        if ledger.find(entry) is None:
            options = replace(_OPTIONS, epochs=epochs, optimizer=optimizer, seed=seed, threads=threads)
            lesson = make_lesson(row.architecture(), _SCALE, digits.training, digits.test, options)
            ledger.keep(entry, _fit(row, lesson).history.to_json())
        history = History.from_json(ledger.find(entry))
        histories.setdefault((row.name, optimizer), {})[seed] = history
        if done is not None:
            done(count, len(wanted), f"{entry}: accuracy {history.val_accuracy[-1]:.4f}")
    trials = {(name, optimizer): Trial(optimizer, by_seed) for (name, optimizer), by_seed in histories.items()}
    return Study(setting, tuple(optimizers), trials)


def _fit(row: Row, lesson: Lesson) -> Trained:
    # Imported where they are used: each brings its own library.
    if row.needs == "torch":
        from trainer.training.torch_training import fit_torch

        return fit_torch(lesson)
    if row.needs == "tensorflow":
        from trainer.training.keras_training import fit_keras

        return fit_keras(lesson)
    from trainer.training.numpy_training import fit_numpy

    return fit_numpy(lesson)


def _setting(digits: Digits, epochs: int) -> dict[str, Any]:
    return {
        "digits": [0, 1, 2, 3, 4],
        "training_images": len(digits.training.films),
        "training_images_a_digit": TRAINING_IMAGES,
        "test_images": len(digits.test.films),
        "side": SIDE,
        "epochs": epochs,
        "batch_size": _OPTIONS.batch_size,
        "learning_rates": "Keras's defaults, constant",
        "networks": {row.name: row.architecture().to_json() for row in ROWS if row.twin is None},
        "data_digest": digits.digest,
        "libraries": library_versions(),
    }
