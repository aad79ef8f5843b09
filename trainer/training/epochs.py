"""The epochs of a lesson: one loop, whichever engine takes the steps."""

from __future__ import annotations

from trainer.training.checkpoints import Checkpoints
from trainer.training.lesson import Lesson, Progress, Report, Trained
from wetread.engine.averaging import WeightAverage
from wetread.engine.callback import Callback, Training
from wetread.engine.early_stopping import EarlyStopping
from wetread.engine.learner import Learner
from wetread.engine.training import fit_learner


def fit_epochs(lesson: Lesson, learner: Learner) -> Trained:
    """Train the learner, which has the lesson's first weights, as the lesson says; raises as `train` does.

    Averaging, early stopping, reports and checkpoints are the same for every engine.
    """
    options = lesson.options
    average = None if options.average is None else WeightAverage(options.average, lesson.first_weights)
    stopping = None if options.patience is None else EarlyStopping(options.patience)
    history = fit_learner(
        learner,
        lesson.batches,
        epochs=options.epochs,
        validation=lesson.validation,
        callbacks=[
            *([] if average is None else [average]),
            *([] if stopping is None else [stopping]),
            _Reporting(lesson.report, len(lesson.batches)),
            *([] if lesson.checkpoints is None else [_Keeping(lesson.checkpoints)]),
        ],
        schedule=options.rate_of(len(lesson.batches)),
        resume=None if lesson.checkpoints is None else lesson.checkpoints.last,
    )
    best = history.epochs if stopping is None else stopping.best_epoch + 1
    return Trained(learner.weights(), history, best)


class _Reporting(Callback):
    """Tells the caller how far training is."""

    def __init__(self, report: Report, batches: int) -> None:
        self._report = report
        self._batches = batches

    def on_batch_end(self, training: Training) -> None:
        self._report(self._progress(training))

    def on_epoch_end(self, training: Training) -> None:
        history = training.history
        if history.val_loss:
            self._report(self._progress(training, history.val_loss[-1], history.val_accuracy[-1]))

    def _progress(
        self, training: Training, val_loss: float | None = None, val_accuracy: float | None = None
    ) -> Progress:
        return Progress(
            epoch=training.epoch + 1,
            epochs=training.epochs,
            batch=training.batch + 1,
            batches=self._batches,
            loss=training.loss,
            accuracy=training.accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
        )


class _Keeping(Callback):
    """Keeps a checkpoint of every epoch except the last before an early stop, which a resumed run would not repeat."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints

    def on_epoch_end(self, training: Training) -> None:
        if not training.stop:
            self._checkpoints.keep(training.checkpoint())
